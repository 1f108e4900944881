//! What replication asks of components, resources and their protocol.

use std::collections::HashSet;

use bowline::prelude::*;
use bowline::{Family, ItemVisitor, References};
use bowline_tests_items::Tagged;
use static_assertions::{assert_impl_all, assert_not_impl_any};

/// A number for each.
pub(crate) struct Numbers;

impl Family for Numbers {
    type Of<C: Replicate> = u64;
}

/// Values of each.
struct Columns;

impl Family for Columns {
    type Of<C: Replicate> = Vec<C>;
}

/// What has a number: its list, its place there, and its name, with and without a value.
struct Describe;

impl<P: Protocol> ItemVisitor<P> for Describe {
    type Output = String;

    fn component<C: ComponentOf<P>>(self) -> String {
        format!("component {} {} {:?}", C::TAG.index(), C::NAME, C::KIND)
    }

    fn resource<R: ResourceOf<P>>(self) -> String {
        format!("resource {} {} {:?}", R::TAG.index(), R::NAME, R::KIND)
    }
}

/// All components and resources, as their numbers have it.
pub(crate) fn items<P: Protocol>() -> Vec<String> {
    (0..).map_while(|number| P::with_item(number, Describe)).collect()
}

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Turret {
    mounted_on: NetEntity,
    angle: u8,
    #[wire(max_len = 4)]
    #[replicate(entities)]
    targets: Vec<NetEntity>,
    #[replicate(skip)]
    last: Option<NetEntity>,
}

#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(atomic, immutable)]
struct Pair(bowline::NetEntity, #[replicate(entities)] Option<NetEntity>, #[replicate(skip)] u8);

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Of<T, U>(#[replicate(entities)] Vec<T>, U);

/// Refers to entities, and knows it alone.
#[derive(Wire, Clone, Debug, PartialEq)]
enum Order {
    Halt,
    Follow(NetEntity),
}

impl References for Order {
    fn references(&self, visit: &mut dyn FnMut(NetEntity)) {
        if let Self::Follow(whom) = self {
            visit(*whom);
        }
    }

    fn map_references(&mut self, map: &mut dyn FnMut(NetEntity) -> NetEntity) {
        if let Self::Follow(whom) = self {
            *whom = map(*whom);
        }
    }
}

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Orders(#[replicate(entities)] [Order; 2]);

#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(immutable)]
struct Class(u8);

/// What it refers to does not travel.
#[derive(Replicate, Clone, Debug, PartialEq)]
struct Loose(#[replicate(skip)] Option<NetEntity>, u8);

mod ship {
    use bowline::prelude::*;

    #[derive(Replicate, Clone, Debug, Default, PartialEq)]
    pub(super) struct Hull(pub(super) u16);

    #[derive(Replicate, Clone, Debug, Default, PartialEq)]
    pub(super) struct Wind(pub(super) u16);
}

const SHARE: u16 = 5;

#[derive(Protocol, Debug)]
#[protocol(
    tick_rate = 20,
    components(ship::Hull, Tagged<u8>, Class),
    resources(ship::Wind, ship::Hull),
    entity_weight = 2 * SHARE
)]
struct Sea;

#[derive(Protocol, Debug)]
#[protocol(tick_rate = 20, resources(ship::Wind))]
struct Air;

#[derive(Protocol, Debug)]
#[protocol(tick_rate = 20)]
struct Void;

fn entity(slot: u32) -> NetEntity {
    NetEntity::new(slot, 0)
}

/// The slots of what it refers to, before and after each was moved up by a hundred.
fn slots<C: Replicate>(mut component: C) -> (Vec<usize>, Vec<usize>) {
    let mut seen = [Vec::new(), Vec::new()];
    component.references(&mut |entity| seen[0].push(entity.slot()));
    component.map_references(&mut |entity| NetEntity::new(entity.slot() as u32 + 100, entity.generation()));
    component.references(&mut |entity| seen[1].push(entity.slot()));
    let [before, after] = seen;
    (before, after)
}

#[test]
fn references_of_all_fields_that_travel_are_seen_and_replaced() {
    let turret = Turret {
        mounted_on: entity(1),
        angle: 2,
        targets: vec![entity(3), entity(4)],
        last: Some(entity(5)),
    };
    assert_eq!(slots(turret), (vec![1, 3, 4], vec![101, 103, 104]));
    assert_eq!(slots(Pair(entity(1), Some(entity(2)), 3)), (vec![1, 2], vec![101, 102]));
    assert_eq!(slots(Of(vec![Some(entity(1)), None], 9_u8)), (vec![1], vec![101]));
    assert_eq!(slots(Orders([Order::Halt, Order::Follow(entity(7))])), (vec![7], vec![107]));
    assert_eq!(slots(Loose(Some(entity(1)), 2)), (vec![], vec![]));
}

#[test]
fn a_component_knows_whether_it_refers_to_entities() {
    let refers = [Turret::HAS_REFERENCES, Pair::HAS_REFERENCES, Of::<NetEntity, u8>::HAS_REFERENCES];
    assert_eq!(refers, [true; 3]);
    assert_eq!([Class::HAS_REFERENCES, Loose::HAS_REFERENCES, ship::Hull::HAS_REFERENCES], [false; 3]);
}

#[test]
fn a_component_is_mutable_unless_it_says_otherwise() {
    assert_impl_all!(Turret: Mutable);
    assert_impl_all!(Of<Option<NetEntity>, String>: Mutable);
    assert_not_impl_any!(Of<u8, String>: Mutable, Replicate);
    assert_not_impl_any!(Class: Mutable);
    assert_not_impl_any!(Pair: Mutable);
    assert_eq!(
        [Class::IMMUTABLE, Pair::IMMUTABLE, Turret::IMMUTABLE, Orders::IMMUTABLE],
        [true, true, false, false]
    );
}

#[test]
fn neither_attribute_changes_what_travels() {
    mod plain {
        use bowline::prelude::*;

        #[derive(Replicate)]
        pub(super) struct Class(u8);

        #[derive(Replicate)]
        #[replicate(atomic)]
        pub(super) struct Pair(NetEntity, Option<NetEntity>);
    }
    assert_eq!(<Class as Replicate>::SCHEMA, <plain::Class as Replicate>::SCHEMA);
    assert_eq!(<Pair as Replicate>::SCHEMA, <plain::Pair as Replicate>::SCHEMA);
}

#[test]
fn every_item_has_a_name_without_its_value() {
    use {SeaComponentKind as Component, SeaResourceKind as Resource};
    assert_eq!(<ship::Hull as ComponentOf<Sea>>::KIND, Component::Hull);
    assert_eq!(<Tagged<u8> as ComponentOf<Sea>>::KIND, Component::Tagged);
    assert_eq!(<ship::Wind as ResourceOf<Sea>>::KIND, Resource::Wind);
    assert_eq!(<ship::Hull as ResourceOf<Sea>>::KIND, Resource::Hull, "the same type is another item there");
    // Checked for completeness: a component more would be an error here.
    match <Class as ComponentOf<Sea>>::KIND {
        Component::Hull | Component::Tagged => unreachable!("another one"),
        Component::Class => {}
    }
    assert!(Component::Hull < Component::Tagged && Component::Tagged < Component::Class, "ordered as listed");
    assert_eq!(HashSet::from([Component::Hull, Component::Class, Component::Hull]).len(), 2);
    assert_eq!(format!("{:?}", Component::Tagged), "Tagged");
    assert_impl_all!(VoidComponentKind: Copy, Ord, Send, std::hash::Hash);
}

#[test]
fn a_family_has_a_place_for_every_item() {
    let mut components = <Sea as Protocol>::Components::<Columns>::default();
    <ship::Hull as ComponentOf<Sea>>::of_mut::<Columns>(&mut components).push(ship::Hull(3));
    <Tagged<u8> as ComponentOf<Sea>>::of_mut::<Columns>(&mut components).push(Tagged { tag: 4 });
    assert_eq!(*<ship::Hull as ComponentOf<Sea>>::of::<Columns>(&components), [ship::Hull(3)]);
    assert_eq!(*<Tagged<u8> as ComponentOf<Sea>>::of::<Columns>(&components), [Tagged { tag: 4 }]);
    assert_eq!(*<Class as ComponentOf<Sea>>::of::<Columns>(&components), []);

    let mut resources = <Sea as Protocol>::Resources::<Columns>::default();
    <ship::Hull as ResourceOf<Sea>>::of_mut::<Columns>(&mut resources).push(ship::Hull(5));
    assert_eq!(*<ship::Hull as ResourceOf<Sea>>::of::<Columns>(&resources), [ship::Hull(5)]);
    assert_eq!(*<ship::Wind as ResourceOf<Sea>>::of::<Columns>(&resources), []);
}

#[test]
fn a_family_of_anything_can_be_made_and_sent() {
    fn fits<P: Protocol, F: Family>() {
        fn moves<T: Default + Send + 'static>() {
            drop(T::default());
        }
        moves::<P::Components<F>>();
        moves::<P::Resources<F>>();
    }
    fits::<Sea, Columns>();
    fits::<Air, Columns>();
    fits::<Void, Numbers>();
}

#[test]
fn a_number_finds_its_item_components_first() {
    assert_eq!(
        items::<Sea>(),
        [
            "component 0 Hull Hull",
            "component 1 Tagged Tagged",
            "component 2 Class Class",
            "resource 0 Wind Wind",
            "resource 1 Hull Hull"
        ]
    );
    assert_eq!(items::<Air>(), ["resource 0 Wind Wind"]);
    assert_eq!(items::<Void>(), [""; 0]);
    assert_eq!(Sea::with_item(usize::MAX, Describe), None);
}

#[test]
fn entities_have_a_weight_among_the_channels() {
    let weights = |schema: bowline::__private::ProtocolSchema| {
        schema.channels.iter().map(|channel| channel.weight).collect::<Vec<_>>()
    };
    assert_eq!(weights(Sea::SCHEMA), [10, 4]);
    assert_eq!(weights(Air::SCHEMA), [4, 4], "what the library gives");
    assert_eq!(weights(Void::SCHEMA), [0; 0], "no entities, no channels");
}
