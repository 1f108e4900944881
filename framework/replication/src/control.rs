//! What is said about entities besides their state: reliably, in order, on a channel of its own.

use bowline_core::{BitReader, BitWriter, DecodeError, NetEntity, Wire};

/// A state that was too large for a packet. It is newer than what came in packets before `packet`, and older than what comes in
/// later ones.
#[derive(Debug, PartialEq)]
pub(crate) struct BulkyState {
    pub(crate) slot: u32,
    /// Which of the states that went by themselves it is.
    pub(crate) id: u32,
    pub(crate) packet: u64,
    pub(crate) tick: u32,
    /// A shape record, without its gap.
    pub(crate) bytes: Vec<u8>,
}

/// From the server.
#[derive(Debug, PartialEq)]
pub(crate) enum FromServer {
    State(BulkyState),
    /// A large state of the client's has been taken in.
    StateTaken {
        slot: u32,
        id: u32,
    },
    /// Ids that the client may spawn entities with.
    Reserved(NetEntity),
    /// How authority over an entity stands, for this client.
    Authority(NetEntity, Standing),
    /// An entity of the client's own is gone, by the server's will.
    Gone(NetEntity),
}

/// From a client.
#[derive(Debug, PartialEq)]
pub(crate) enum FromClient {
    State(BulkyState),
    StateTaken {
        slot: u32,
        id: u32,
    },
    /// May I write to it?
    Request(NetEntity),
    /// I do not write to it any more.
    Release(NetEntity),
}

/// How authority over an entity stands, as the server tells one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It cannot be asked for.
    None,
    Available,
    Yours,
    Denied,
}

impl BulkyState {
    fn encode(&self, writer: &mut BitWriter) {
        for number in [self.slot.into(), self.id.into(), self.packet, self.tick.into()] {
            writer.write_varint(number);
        }
        writer.align();
        writer.write_bytes(&self.bytes);
    }

    fn decode(bytes: &[u8], reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let (slot, id) = (number(reader)?, number(reader)?);
        let (packet, tick) = (reader.read_varint()?, number(reader)?);
        let rest = bytes.len() - reader.remaining_bits() / 8;
        let bytes = bytes.get(rest..).unwrap_or_default().to_vec();
        reader.skip_bits(reader.remaining_bits())?;
        Ok(Self { slot, id, packet, tick, bytes })
    }
}

const STATE: u64 = 0;
const STATE_TAKEN: u64 = 1;
const RESERVED_OR_REQUEST: u64 = 2;
const AUTHORITY_OR_RELEASE: u64 = 3;
const GONE: u64 = 4;

impl FromServer {
    pub(crate) fn encode(&self, writer: &mut BitWriter) {
        match self {
            Self::State(state) => {
                writer.write_bits(STATE, TAG_BITS);
                state.encode(writer);
            }
            Self::StateTaken { slot, id } => taken(*slot, *id, writer),
            Self::Reserved(entity) => about(RESERVED_OR_REQUEST, *entity, writer),
            Self::Authority(entity, standing) => {
                about(AUTHORITY_OR_RELEASE, *entity, writer);
                writer.write_bits(*standing as u64, 2);
            }
            Self::Gone(entity) => about(GONE, *entity, writer),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = BitReader::new(bytes);
        let message = match reader.read_bits(TAG_BITS)? {
            STATE => Self::State(BulkyState::decode(bytes, &mut reader)?),
            STATE_TAKEN => Self::StateTaken { slot: number(&mut reader)?, id: number(&mut reader)? },
            RESERVED_OR_REQUEST => Self::Reserved(NetEntity::decode(&mut reader)?),
            AUTHORITY_OR_RELEASE => {
                let entity = NetEntity::decode(&mut reader)?;
                let standing = match reader.read_bits(2)? {
                    0 => Standing::None,
                    1 => Standing::Available,
                    2 => Standing::Yours,
                    _ => Standing::Denied,
                };
                Self::Authority(entity, standing)
            }
            GONE => Self::Gone(NetEntity::decode(&mut reader)?),
            _ => return Err(DecodeError::UnknownVariant),
        };
        reader.finish()?;
        Ok(message)
    }
}

impl FromClient {
    pub(crate) fn encode(&self, writer: &mut BitWriter) {
        match self {
            Self::State(state) => {
                writer.write_bits(STATE, TAG_BITS);
                state.encode(writer);
            }
            Self::StateTaken { slot, id } => taken(*slot, *id, writer),
            Self::Request(entity) => about(RESERVED_OR_REQUEST, *entity, writer),
            Self::Release(entity) => about(AUTHORITY_OR_RELEASE, *entity, writer),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = BitReader::new(bytes);
        let message = match reader.read_bits(TAG_BITS)? {
            STATE => Self::State(BulkyState::decode(bytes, &mut reader)?),
            STATE_TAKEN => Self::StateTaken { slot: number(&mut reader)?, id: number(&mut reader)? },
            RESERVED_OR_REQUEST => Self::Request(NetEntity::decode(&mut reader)?),
            AUTHORITY_OR_RELEASE => Self::Release(NetEntity::decode(&mut reader)?),
            _ => return Err(DecodeError::UnknownVariant),
        };
        reader.finish()?;
        Ok(message)
    }
}

/// A byte, so that what follows in a large state begins on one.
const TAG_BITS: u32 = 8;

fn about(tag: u64, entity: NetEntity, writer: &mut BitWriter) {
    writer.write_bits(tag, TAG_BITS);
    writer.write_varint(entity.slot() as u64);
    writer.write_varint(u64::from(entity.generation()));
}

fn taken(slot: u32, id: u32, writer: &mut BitWriter) {
    writer.write_bits(STATE_TAKEN, TAG_BITS);
    writer.write_varint(slot.into());
    writer.write_varint(id.into());
}

fn number(reader: &mut BitReader<'_>) -> Result<u32, DecodeError> {
    u32::try_from(reader.read_varint()?).map_err(|_| DecodeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> BulkyState {
        BulkyState { slot: 300, id: 7, packet: 1 << 40, tick: 9, bytes: vec![1, 2, 3] }
    }

    #[test]
    fn what_is_said_comes_back_and_cut_it_is_refused() {
        let entity = NetEntity::new(5, 1);
        let standings = [Standing::None, Standing::Available, Standing::Yours, Standing::Denied];
        let mut from_server: Vec<_> = standings.map(|s| FromServer::Authority(entity, s)).into();
        from_server.push(FromServer::State(state()));
        from_server.push(FromServer::StateTaken { slot: 3, id: 900 });
        from_server.push(FromServer::Reserved(entity));
        from_server.push(FromServer::Gone(entity));
        for message in from_server {
            let mut writer = BitWriter::new();
            message.encode(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(FromServer::decode(&bytes), Ok(message));
            assert!(FromServer::decode(&bytes[..2]).is_err());
        }
        let from_client = [
            FromClient::State(state()),
            FromClient::StateTaken { slot: 3, id: 900 },
            FromClient::Request(entity),
            FromClient::Release(entity),
        ];
        for message in from_client {
            let mut writer = BitWriter::new();
            message.encode(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(FromClient::decode(&bytes), Ok(message));
            assert!(FromClient::decode(&bytes[..2]).is_err());
        }
    }
}
