//! The local transport passes the suite that every transport must pass, with a link conditioner around it
//! too, and in a box.

use std::time::Duration;

use bowline_core::transport::conformance::{self, Bench};
use bowline_core::transport::{
    BoxedClientTransport, BoxedTransport, BurstLoss, Conditioned, LinkConditionerConfig,
};
use bowline_core::{Clock, Instant, ManualClock, SocketConfig, transport_conformance};
use bowline_local::{ClientSocket, Hub, Socket};

/// Queues that stand still, and a clock that is moved.
#[derive(Default)]
struct Local {
    hub: Hub,
    clock: ManualClock,
}

impl Bench for Local {
    type Server = Socket;
    type Client = ClientSocket;

    fn server(&mut self) -> Socket {
        self.hub.server(SocketConfig::default()).unwrap()
    }

    fn client(&mut self) -> ClientSocket {
        self.hub.client(SocketConfig::default())
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wait(&mut self) {
        self.clock.advance(Duration::from_millis(1));
    }
}

/// The same behind a link.
struct Linked<const LOSSY: bool> {
    local: Local,
    config: LinkConditionerConfig,
    seed: u64,
}

impl<const LOSSY: bool> Linked<LOSSY> {
    fn new(config: LinkConditionerConfig) -> Self {
        Self { local: Local::default(), config, seed: 0 }
    }

    fn wrap<T: bowline_core::Transport>(&mut self, inner: T) -> Conditioned<T> {
        self.seed += 1;
        Conditioned::new(inner, self.config, self.seed)
    }
}

impl<const LOSSY: bool> Bench for Linked<LOSSY> {
    type Server = Conditioned<Socket>;
    type Client = Conditioned<ClientSocket>;

    const LOSSY: bool = LOSSY;

    fn server(&mut self) -> Self::Server {
        let inner = self.local.server();
        self.wrap(inner)
    }

    fn client(&mut self) -> Self::Client {
        let inner = self.local.client();
        self.wrap(inner)
    }

    fn now(&self) -> Instant {
        self.local.now()
    }

    fn wait(&mut self) {
        self.local.wait();
    }
}

/// The same in boxes.
#[derive(Default)]
struct Boxed(Local);

impl Bench for Boxed {
    type Server = BoxedTransport;
    type Client = BoxedClientTransport;

    fn server(&mut self) -> BoxedTransport {
        BoxedTransport::new(self.0.server())
    }

    fn client(&mut self) -> BoxedClientTransport {
        BoxedClientTransport::new(self.0.client())
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wait(&mut self) {
        self.0.wait();
    }
}

fn terrible() -> LinkConditionerConfig {
    LinkConditionerConfig::very_poor_condition()
        .with_duplication(0.1)
        .with_reordering(0.1, Duration::from_millis(100))
        .with_burst_loss(BurstLoss::new(0.02, 0.2))
        .with_bandwidth(200_000, Duration::from_millis(200))
}

transport_conformance!(plain, Local::default());
transport_conformance!(perfect, Linked::<false>::new(LinkConditionerConfig::perfect_condition()));
transport_conformance!(average, Linked::<true>::new(LinkConditionerConfig::average_condition()));
transport_conformance!(boxed, Boxed::default());
transport_conformance!(terrible_link, Linked::<true>::new(terrible()));

#[test]
fn a_sleeper_is_woken() {
    conformance::a_sleeper_is_woken(Local::default());
    conformance::a_sleeper_is_woken(Linked::<false>::new(LinkConditionerConfig::perfect_condition()));
    conformance::a_sleeper_is_woken(Linked::<true>::new(LinkConditionerConfig::poor_condition()));
}
