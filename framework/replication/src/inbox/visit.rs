//! What is done with a component once its type is known.

use bowline_core::protocol::ItemVisitor;
use bowline_core::{BitReader, ComponentOf, DecodeError, NetEntity, Protocol, Replicate, ResourceOf};

use super::Change;
use crate::sink::WorldSink;

/// Reads what a record has of a component, into the world or over it.
pub(super) struct ReadPart<'a, 'b, S> {
    /// Whose it is, and whether it did not have one. `None` where there is newer news.
    pub(super) target: Option<(NetEntity, bool)>,
    pub(super) change: Change,
    pub(super) tick: u32,
    pub(super) reader: &'a mut BitReader<'b>,
    pub(super) sink: &'a mut S,
}

/// Reads what a record has of a component, and nothing more.
pub(super) struct ReadOver<'a, 'b> {
    pub(super) change: Change,
    pub(super) reader: &'a mut BitReader<'b>,
}

/// Takes a component or a resource away.
pub(super) struct Remove<'a, S> {
    pub(super) entity: NetEntity,
    pub(super) sink: &'a mut S,
}

impl<P: Protocol, S: WorldSink<P>> ItemVisitor<P> for ReadPart<'_, '_, S> {
    type Output = Result<(), DecodeError>;

    #[inline]
    fn component<C: ComponentOf<P>>(self) -> Self::Output {
        let Self { target, change, tick, reader, sink } = self;
        let Some((entity, is_new)) = target else { return read_over::<C>(change, reader) };
        let present = if is_new { None } else { sink.component_mut::<C>(entity) };
        match (present, change) {
            (Some(value), change) => {
                read_into(value, change, reader)?;
                sink.updated::<C>(entity, tick);
            }
            // It is new, or the game has taken it out of its world; here it is again.
            (None, Change::Whole) => {
                let value = C::decode_new(reader)?;
                sink.insert(entity, value, tick);
            }
            (None, change) => read_over::<C>(change, reader)?,
        }
        Ok(())
    }

    fn resource<R: ResourceOf<P>>(self) -> Self::Output {
        let Self { target, change, tick, reader, sink } = self;
        let Some((_, is_new)) = target else { return read_over::<R>(change, reader) };
        let present = if is_new { None } else { sink.resource_mut::<R>() };
        match (present, change) {
            (Some(value), change) => {
                read_into(value, change, reader)?;
                sink.updated_resource::<R>(tick);
            }
            (None, Change::Whole) => {
                let value = R::decode_new(reader)?;
                sink.insert_resource(value, tick);
            }
            (None, change) => read_over::<R>(change, reader)?,
        }
        Ok(())
    }
}

impl<P: Protocol> ItemVisitor<P> for ReadOver<'_, '_> {
    type Output = Result<(), DecodeError>;

    fn component<C: ComponentOf<P>>(self) -> Self::Output {
        read_over::<C>(self.change, self.reader)
    }

    fn resource<R: ResourceOf<P>>(self) -> Self::Output {
        read_over::<R>(self.change, self.reader)
    }
}

impl<P: Protocol, S: WorldSink<P>> ItemVisitor<P> for Remove<'_, S> {
    type Output = ();

    fn component<C: ComponentOf<P>>(self) {
        self.sink.remove::<C>(self.entity);
    }

    fn resource<R: ResourceOf<P>>(self) {
        self.sink.remove_resource::<R>();
    }
}

#[inline]
fn read_into<C: Replicate>(
    value: &mut C,
    change: Change,
    reader: &mut BitReader<'_>,
) -> Result<(), DecodeError> {
    match change {
        Change::Whole => (0..C::FIELDS).try_for_each(|field| value.decode_field(field, reader)),
        Change::Fields(mask) => value.decode_fields(mask, reader),
    }
}

fn read_over<C: Replicate>(change: Change, reader: &mut BitReader<'_>) -> Result<(), DecodeError> {
    match change {
        Change::Whole => (0..C::FIELDS).try_for_each(|field| C::skip_field(field, reader)),
        Change::Fields(mask) => mask.iter().try_for_each(|field| C::skip_field(field, reader)),
    }
}
