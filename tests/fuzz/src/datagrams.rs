//! A fuzzer's bytes as datagrams: who sends each, to whom, and what passes before the next.

use std::time::Duration;

/// A datagram from the fuzzer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forged<'a> {
    pub(crate) from: Sender,
    /// The time that passes afterwards.
    pub(crate) pause: Duration,
    pub(crate) bytes: &'a [u8],
}

/// As whom the fuzzer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// To the server, from the address of a client.
    Client,
    /// To that client, from the address of the server.
    Server,
    /// To the server, from an address that it does not know.
    Stranger,
}

const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(60), Duration::from_millis(1_100)];

/// A head of three bytes before each datagram: two bits for the sender, two for the pause, and the length.
pub(crate) fn parse(mut bytes: &[u8]) -> Vec<Forged<'_>> {
    let mut all = Vec::new();
    while let [head, low, high, rest @ ..] = bytes {
        let len = usize::from(u16::from_le_bytes([*low, *high]) & 0x7ff).min(rest.len());
        let from = match head & 3 {
            0 | 3 => Sender::Client,
            1 => Sender::Server,
            _ => Sender::Stranger,
        };
        let (datagram, after) = rest.split_at(len);
        all.push(Forged { from, pause: PAUSES[usize::from(head >> 2 & 3)], bytes: datagram });
        bytes = after;
    }
    all
}

/// The other way round, for what honest peers said; a moment passes after each.
pub(crate) fn write(said: &[(Sender, Vec<u8>)]) -> Vec<u8> {
    let datagrams = said.iter().map(|(from, datagram)| {
        let from = match from {
            Sender::Client => 0,
            Sender::Server => 1,
            Sender::Stranger => 2,
        };
        let [low, high] = (datagram.len() as u16).to_le_bytes();
        [&[from | 1 << 2, low, high], &**datagram].concat()
    });
    datagrams.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_parsed() {
        let said = [(Sender::Client, vec![1; 300]), (Sender::Server, vec![]), (Sender::Stranger, vec![2])];
        let bytes = write(&said);
        let parsed: Vec<_> =
            parse(&bytes).iter().map(|forged| (forged.from, forged.bytes.to_vec())).collect();
        assert_eq!(parsed, said);
        assert_eq!(parse(&bytes[..200])[0].bytes.len(), 197, "the last may be cut");
    }
}
