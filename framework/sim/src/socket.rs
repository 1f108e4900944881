use std::convert::Infallible;
use std::fmt;

use bowline_core::transport::{AddressBytes, PackAddress};
use bowline_core::{ClientTransport, Datagram, Instant, Security, Transport};

use crate::Network;

/// The address of a simulated node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimAddress(u16);

impl SimAddress {
    /// The address with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    pub(crate) const fn to_bits(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for SimAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sim:{}", self.0)
    }
}

impl PackAddress for SimAddress {
    fn pack(&self, bytes: &mut AddressBytes) {
        self.0.pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        u16::unpack(bytes).map(Self)
    }
}

/// The socket of a simulated node: a transport like any other.
#[derive(Debug)]
pub struct SimSocket {
    network: Network,
    address: SimAddress,
    server: SimAddress,
    datagram: Vec<u8>,
}

impl SimSocket {
    /// A socket at `address`, for a client of `server`, or for the server itself.
    #[must_use]
    pub fn new(network: &Network, address: SimAddress, server: SimAddress) -> Self {
        Self { network: network.clone(), address, server, datagram: Vec::new() }
    }
}

impl Transport for SimSocket {
    type Address = SimAddress;
    type Error = Infallible;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, SimAddress>>, Infallible> {
        let from = self.network.receive(self.address, &mut self.datagram);
        Ok(from.map(|from| Datagram { from, bytes: &self.datagram }))
    }

    fn send(&mut self, _: Instant, to: SimAddress, datagram: &[u8]) -> Result<(), Infallible> {
        self.network.send(self.address, to, datagram);
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Infallible> {
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        65_507
    }

    fn security(&self, _: SimAddress) -> Security {
        self.network.security()
    }

    fn name(&self, _: SimAddress) -> &'static str {
        "sim"
    }

    fn close(&mut self, _: SimAddress) {}
}

impl ClientTransport for SimSocket {
    fn server_address(&self) -> SimAddress {
        self.server
    }
}
