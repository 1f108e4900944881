use std::collections::BTreeMap;

/// Which components an entity has, and where each keeps its fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) parts: Vec<Part>,
    /// How many cells an entity of it has.
    pub(crate) cells: u32,
    /// How many entities are of it; a shape of none is forgotten.
    entities: usize,
}

/// A component of a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) kind: u16,
    /// The first of its cells, counted from that of the entity.
    pub(crate) first: u32,
    pub(crate) fields: u32,
}

/// All shapes that entities have now, each written down once. Kinds of components are in ascending order.
#[derive(Debug)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    by_kinds: BTreeMap<Vec<u16>, u32>,
    free: Vec<u32>,
}

/// The shape of an entity without components; always there.
pub(crate) const BARE: u32 = 0;

impl Shapes {
    pub(crate) fn new() -> Self {
        Self {
            shapes: vec![Shape::default()],
            by_kinds: BTreeMap::from([(Vec::new(), BARE)]),
            free: Vec::new(),
        }
    }

    pub(crate) fn get(&self, shape: u32) -> &Shape {
        const NONE: &Shape = &Shape { parts: Vec::new(), cells: 0, entities: 0 };
        self.shapes.get(shape as usize).unwrap_or(NONE)
    }

    /// One more entity is of the shape with these kinds, ascending.
    pub(crate) fn enter(&mut self, kinds: &[u16], fields: impl Fn(u16) -> u32) -> u32 {
        let id = match self.by_kinds.get(kinds) {
            Some(id) => *id,
            None => self.add(kinds, fields),
        };
        if let Some(shape) = self.shapes.get_mut(id as usize) {
            shape.entities += 1;
        }
        id
    }

    /// One entity less is of it.
    pub(crate) fn leave(&mut self, id: u32) {
        let Some(shape) = self.shapes.get_mut(id as usize) else { return };
        shape.entities = shape.entities.saturating_sub(1);
        if shape.entities == 0 && id != BARE {
            let kinds: Vec<u16> = shape.parts.iter().map(|part| part.kind).collect();
            *shape = Shape::default();
            self.by_kinds.remove(&kinds);
            self.free.push(id);
        }
    }

    fn add(&mut self, kinds: &[u16], fields: impl Fn(u16) -> u32) -> u32 {
        let mut shape = Shape::default();
        for kind in kinds {
            let part = Part { kind: *kind, first: shape.cells, fields: fields(*kind) };
            shape.cells += part.fields;
            shape.parts.push(part);
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.shapes.push(Shape::default());
            self.shapes.len() as u32 - 1
        });
        if let Some(place) = self.shapes.get_mut(id as usize) {
            *place = shape;
        }
        self.by_kinds.insert(kinds.to_vec(), id);
        id
    }
}

impl Shape {
    pub(crate) fn part(&self, kind: u16) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_written_down_once_and_forgotten_with_its_last_entity() {
        let mut shapes = Shapes::new();
        let fields = |kind| u32::from(kind) + 1;
        let first = shapes.enter(&[1, 4], fields);
        assert_eq!(shapes.enter(&[1, 4], fields), first);
        assert_ne!(shapes.enter(&[1], fields), first);
        assert_eq!((shapes.get(first).cells, shapes.get(first).part(4).unwrap().first), (7, 2));
        shapes.leave(first);
        shapes.leave(first);
        assert_eq!(shapes.enter(&[2], fields), first, "its place is free");
        assert_eq!(shapes.get(BARE).cells, 0);
    }
}
