use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// Where a server listens, and where its clients find it.
///
/// ```
/// use bowline_webrtc::ServerAddrs;
///
/// let on_this_machine = ServerAddrs::default();
/// let for_everybody =
///     ServerAddrs::new("0.0.0.0:14191", "0.0.0.0:14192", "https://game.example.com:14192");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddrs {
    /// Where HTTP listens for offers, over TCP: `0.0.0.0:14191`.
    pub signaling: String,
    /// Where the data of all peers comes in, over UDP: `0.0.0.0:14192`, `[::]:14192` for both families.
    pub data: String,
    /// Where clients send the data to: a name or an address, and a port. A name may lead to several addresses, of both
    /// families. It differs from [`data`](Self::data) behind a container's port mapping and behind a NAT.
    /// Port 0 is that of `data`.
    pub public: String,
}

impl ServerAddrs {
    /// Listens for offers at `signaling` and for data at `data`, and tells clients to send the data to `public`. A scheme in front
    /// of the public address is passed over.
    pub fn new(signaling: impl Into<String>, data: impl Into<String>, public: impl Into<String>) -> Self {
        Self { signaling: signaling.into(), data: data.into(), public: public.into() }
    }
}

/// On this machine: signalling on port 14191, data on port 14192.
impl Default for ServerAddrs {
    fn default() -> Self {
        Self::new("127.0.0.1:14191", "127.0.0.1:14192", "127.0.0.1:14192")
    }
}

/// Why a server's socket could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// One of the addresses is none.
    #[error("`{address}` is no {what}: write it as `127.0.0.1:14191` or `[::]:14191`")]
    NoAddress {
        /// What it should be.
        what: &'static str,
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Nobody can send to "any".
    #[error(
        "`{address}` is where a server listens, not where clients find it; name the address or the host name that players \
         reach, as `game.example.com:14192`"
    )]
    PublicUnspecified {
        /// The public address.
        address: String,
    },
    /// The system said no to a port.
    #[error(
        "could not listen at {address} for {what}; is the port taken, and the address one of this machine's?"
    )]
    System {
        /// What for.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate or the key for HTTPS cannot be used.
    #[error("the certificate or its key cannot be used: {0}")]
    Tls(String),
    /// Plain UDP on the same port, where others can reach it.
    #[error(
        "{address} can be reached by others and plain UDP is plaintext; leave `with_plain_udp` out, or set \
         `SocketConfig::allow_plaintext_on_public_address`"
    )]
    PlaintextOnPublicAddress {
        /// The address.
        address: SocketAddr,
    },
    /// The engine could not be started.
    #[error("the WebRTC engine could not be started: {0}")]
    Engine(String),
}

/// The addresses that a text names.
pub(crate) fn resolve(what: &'static str, text: &str) -> Result<Vec<SocketAddr>, ListenError> {
    let failed = |source| ListenError::NoAddress { what, address: text.to_owned(), source };
    let addresses: Vec<_> = text.to_socket_addrs().map_err(failed)?.collect();
    if addresses.is_empty() {
        return Err(failed(io::ErrorKind::NotFound.into()));
    }
    Ok(addresses)
}

/// What clients are told to send to.
pub(crate) fn candidates(public: &str, bound: SocketAddr) -> Result<Vec<SocketAddr>, ListenError> {
    let host_and_port = public.split_once("://").map_or(public, |(_, rest)| rest).trim_end_matches('/');
    let mut candidates = resolve("public address", host_and_port)?;
    for candidate in &mut candidates {
        *candidate = SocketAddr::new(candidate.ip().to_canonical(), candidate.port());
        if candidate.port() == 0 {
            candidate.set_port(bound.port());
        }
    }
    if candidates.iter().any(|candidate| candidate.ip().is_unspecified()) {
        return Err(ListenError::PublicUnspecified { address: public.to_owned() });
    }
    // A client of the other family would be sent to where nobody listens.
    let bound_ip = bound.ip().to_canonical();
    candidates.retain(|candidate| speaks(bound_ip, candidate.ip()));
    candidates.dedup();
    if candidates.is_empty() {
        let source =
            io::Error::other(format!("the data is bound to {bound}, which does not speak its family"));
        return Err(ListenError::NoAddress { what: "public address", address: public.to_owned(), source });
    }
    Ok(candidates)
}

/// Whether a socket bound to `bound` can be reached at an address of this family.
fn speaks(bound: IpAddr, family: IpAddr) -> bool {
    bound.is_ipv4() == family.is_ipv4() || bound == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

/// Whether others than this machine can reach what is bound here.
pub(crate) fn is_public(bound: SocketAddr) -> bool {
    !bound.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn found(public: &str, at: &str) -> Vec<String> {
        candidates(public, bound(at)).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_public_address_may_have_a_scheme_and_leave_the_port_to_the_data() {
        assert_eq!(found("https://203.0.113.7:14192", "0.0.0.0:7"), ["203.0.113.7:14192"]);
        assert_eq!(found("203.0.113.7:0", "0.0.0.0:7"), ["203.0.113.7:7"]);
        assert_eq!(found("[2001:db8::1]:9", "[::]:7"), ["[2001:db8::1]:9"]);
        assert_eq!(found("203.0.113.7:9", "[::]:7"), ["203.0.113.7:9"], "one socket for both families");
        assert!(found("localhost:0", "0.0.0.0:7").contains(&"127.0.0.1:7".to_owned()));
    }

    #[test]
    fn an_address_that_no_client_could_use_is_refused_in_words() {
        let says = |public: &str, at: &str| candidates(public, bound(at)).unwrap_err().to_string();
        assert!(says("0.0.0.0:14192", "0.0.0.0:14192").contains("not where clients find it"));
        assert!(says("[::1]:14192", "127.0.0.1:14192").contains("is no public address"));
        assert!(says("nonsense", "127.0.0.1:14192").contains("`nonsense` is no public address"));
    }
}
