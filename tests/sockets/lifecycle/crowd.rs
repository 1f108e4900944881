//! Many clients on one server and one port. What each costs, `cargo bench -p bowline-tests --bench crowd` measures.

use std::time::{Duration, Instant};

use bowline::prelude::*;
use bowline::transport::{udp, webrtc};
use bowline_tests::rig::{Arena, ArenaMessage, Chat, Talk, login};

mod long {
    use super::*;

    const CROWD: usize = 500;
    /// Of these, every fiftieth comes by plain UDP.
    const BY_UDP: usize = 50;

    enum Player {
        Webrtc(Client<Arena, webrtc::ClientSocket>),
        Udp(Client<Arena, udp::ClientSocket>),
    }

    /// A turn of a client; what it was told.
    fn turn<T: bowline::transport::ClientTransport>(client: &mut Client<Arena, T>, number: usize) -> bool {
        let mut is_answered = false;
        client.receive();
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Connected => {
                    let text = number.to_string();
                    client.connected().unwrap().send::<Talk>(Chat { text }).unwrap();
                }
                ClientEvent::Message(ArenaMessage::Chat(chat)) => {
                    assert_eq!(chat.text, format!("you are {number}"));
                    is_answered = true;
                }
                ClientEvent::Tick(_) => {}
                event => panic!("{event:?}: {:?}", client.transport_failure()),
            }
        }
        client.send();
        is_answered
    }

    #[test]
    fn five_hundred_clients_come_in_by_one_port_and_each_is_answered() {
        let addrs = webrtc::ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
        let setup = webrtc::ServerSetup::new(&addrs).with_offer_rate(1_000, 1_000).with_plain_udp();
        let mut server = Server::<Arena, _>::new(ServerConfig::default());
        let (webrtc, plain) = webrtc::Socket::new(setup, server.socket_config()).unwrap();
        let url = format!("http://{}", webrtc.signaling_address());
        let port = plain.local_address();
        assert_eq!(webrtc.data_address(), port);
        server.listen((webrtc, plain));

        let mut players: Vec<(Player, bool)> = Vec::new();
        let mut came_by = [0, 0];
        let start = Instant::now();
        while players.iter().filter(|(_, is_answered)| *is_answered).count() < CROWD {
            assert!(start.elapsed() < Duration::from_secs(240), "{} are in", server.user_count());
            let on_their_way = players.iter().filter(|(_, is_answered)| !is_answered).count();
            for number in players.len()..CROWD.min(players.len() + 16_usize.saturating_sub(on_their_way)) {
                players.push((player(number, &url, port), false));
            }
            server.receive();
            while let Some(event) = server.next_event() {
                match event {
                    ServerEvent::AuthRequested(ticket) => ticket.accept(),
                    ServerEvent::Message(user, ArenaMessage::Chat(chat)) => {
                        let is_udp = server.user(user).unwrap().transport == "udp";
                        came_by[usize::from(is_udp)] += 1;
                        let text = format!("you are {}", chat.text);
                        server.send_to::<Talk>(user, Chat { text }).unwrap();
                    }
                    ServerEvent::Disconnected(departure) => panic!("{}", departure.reason),
                    _ => {}
                }
            }
            server.send();
            for (number, (player, is_answered)) in players.iter_mut().enumerate() {
                *is_answered |= match player {
                    Player::Webrtc(client) => turn(client, number),
                    Player::Udp(client) => turn(client, number),
                };
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(came_by, [CROWD - CROWD / BY_UDP, CROWD / BY_UDP]);
        assert_eq!(server.user_count(), CROWD);
    }

    fn player(number: usize, url: &str, port: std::net::SocketAddr) -> Player {
        let name = format!("player {number}");
        if number.is_multiple_of(BY_UDP) {
            let mut client = Client::new(ClientConfig::default());
            let socket = udp::ClientSocket::connect_to(port, client.socket_config()).unwrap();
            client.connect(socket, login(&name)).unwrap();
            return Player::Udp(client);
        }
        let mut client = Client::new(ClientConfig::default());
        client.connect(webrtc::Socket::new(url, client.socket_config()).unwrap(), login(&name)).unwrap();
        Player::Webrtc(client)
    }
}
