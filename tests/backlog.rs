//! Who has more to say than fits, or says more than anybody can hear, harms itself alone.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::{DisconnectReason, Instant, SendErrorKind, SendRate};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault, Seen};
use bowline_tests::{Game, GameMessage, Numbered, Ordered, Unordered, login, numbered};

const MS: Duration = Duration::from_millis(1);

/// Has the server answer whatever client 1 says, and client 1 speak every tick; gives how long each answer took.
struct Bystander {
    cluster: Cluster<Game>,
    sent: Vec<Instant>,
}

impl Bystander {
    fn new(config: ClusterConfig) -> Self {
        let mut cluster = Cluster::<Game>::new(config, login);
        cluster.set_app(|server, seen| {
            if let Seen::Message(user, GameMessage::Numbered(Numbered { number, body })) = seen
                && body.len() == 10
            {
                // An answer that finds no room is one that never comes: the test would see it.
                let _ = server.send_to::<Ordered>(*user, numbered(*number, 10));
            }
        });
        cluster.connect_all();
        cluster.run_for(MS * 1_000);
        Self { cluster, sent: Vec::new() }
    }

    /// One tick: client 1 asks, `others` do as they like.
    fn tick(&mut self, others: impl FnOnce(&mut Cluster<Game>)) {
        others(&mut self.cluster);
        let number = self.sent.len() as u32;
        let mut client = self.cluster.client_mut(1).connected().expect("a bystander stays connected");
        client.send::<Ordered>(numbered(number, 10)).unwrap();
        self.sent.push(self.cluster.now());
        self.cluster.run_for(MS * 50);
    }

    /// How long the answers took, the longest last.
    fn waits(&mut self) -> Vec<Duration> {
        self.cluster.run_for(MS * 1_000);
        let seen = self.cluster.client_seen(1).iter();
        let mut waits: Vec<Duration> = seen
            .filter_map(|(at, event)| match event {
                bowline::ClientEvent::Message(GameMessage::Numbered(message)) if message.body.len() == 10 => {
                    Some(*at - self.sent[message.number as usize])
                }
                _ => None,
            })
            .collect();
        assert_eq!(waits.len(), self.sent.len(), "every one is answered");
        waits.sort_unstable();
        waits
    }
}

fn config() -> ClusterConfig {
    ClusterConfig { conditions: Conditions::new(30, 0, 0.0), ..ClusterConfig::new(5, 2) }
}

#[test]
fn a_backlog_on_a_link_that_has_died_harms_nobody() {
    let mut bystander = Bystander::new(config());
    let cluster = &mut bystander.cluster;
    let address = cluster.client_address(0);
    let user = cluster.server().users().find(|id| cluster.server().user(*id).unwrap().address == address);
    let user = user.unwrap();
    cluster.apply(&Fault::Cut(0));
    let before = cluster.network().stats().sent_bytes;
    let refused = Rc::new(RefCell::new(0_u32));
    // A minute of a transfer that nobody hears.
    for turn in 0..1_200_u32 {
        let refused = Rc::clone(&refused);
        bystander.tick(|cluster| {
            for piece in 0..10 {
                match cluster.server_mut().send_to::<Ordered>(user, numbered(turn * 10 + piece, 50_000)) {
                    Ok(()) => {}
                    Err(unsent) => {
                        // Nothing is lost: the message comes back.
                        assert!(
                            matches!(unsent.message, GameMessage::Numbered(ref m) if m.body.len() == 50_000)
                        );
                        match unsent.kind() {
                            SendErrorKind::QueueFull { .. } => *refused.borrow_mut() += 1,
                            SendErrorKind::NotConnected => {}
                            other => panic!("{other}"),
                        }
                    }
                }
            }
            if let Some(info) = cluster.server().user(user) {
                assert!(info.stats.queued_bytes <= 1 << 20, "{}", info.stats.queued_bytes);
            }
        });
    }
    assert!(*refused.borrow() > 100, "the sender learns of it: {}", refused.borrow());
    let ended = bystander.cluster.server_seen().iter().find_map(|(_, seen)| match seen {
        Seen::Disconnected(departure) if departure.user == user => Some(departure.reason.clone()),
        _ => None,
    });
    assert_eq!(ended, Some(DisconnectReason::TimedOut));
    // What went into the dead link: no storm of what was lost.
    let sent = bystander.cluster.network().stats().sent_bytes - before;
    assert!(sent < 2_000_000, "{sent} bytes in a minute, those of the other client included");
    let waits = bystander.waits();
    assert_eq!(*waits.last().unwrap(), MS * 60, "there and back, and not a moment more");
}

#[test]
fn b6_a_client_that_floods_slows_nobody_else() {
    for reliable in [true, false] {
        let mut config = config();
        // As fast as it likes, whatever the path.
        config.client.connection.send_rate = SendRate::Fixed(50_000_000);
        let mut bystander = Bystander::new(config);
        let mut flooded = 0_u64;
        for turn in 0..200_u32 {
            bystander.tick(|cluster| {
                let Some(mut flooder) = cluster.client_mut(0).connected() else { return };
                for number in 0..200 {
                    let message = numbered(turn * 200 + number, 1_000);
                    let sent = if reliable {
                        flooder.send::<Ordered>(message)
                    } else {
                        flooder.send::<Unordered>(message)
                    };
                    flooded += u64::from(sent.is_ok());
                }
            });
        }
        assert!(flooded > 2_000, "{flooded}");
        let waits = bystander.waits();
        assert_eq!(*waits.last().unwrap(), MS * 60, "there and back, and not a moment more");
        assert_eq!(bystander.cluster.server().user_count(), 2, "it is heard, as far as it can be");
    }
}
