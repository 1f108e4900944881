//! `Channel`.

use proc_macro2::Span;
use syn::Ident;

use super::{Errors, Known, Place, listed, refuse_generics};
use crate::model::{Channel, Direction, Mode};
use crate::parse::{Data, Input, Value};

const MODES: [(&str, Mode); 6] = [
    ("unordered_unreliable", Mode::UnorderedUnreliable),
    ("sequenced_unreliable", Mode::SequencedUnreliable),
    ("unordered_reliable", Mode::UnorderedReliable),
    ("sequenced_reliable", Mode::SequencedReliable),
    ("ordered_reliable", Mode::OrderedReliable),
    ("tick_buffered", Mode::TickBuffered),
];

const DIRECTIONS: [(&str, Direction); 3] = [
    ("to_server", Direction::ToServer),
    ("to_client", Direction::ToClient),
    ("bidirectional", Direction::Bidirectional),
];

const TYPE: Place =
    Place { name: "on the type", keys: &[("channel", "crate"), ("channel", "weight")], elsewhere: &[] };

pub(crate) fn channel(mut input: Input, errors: &mut Errors) -> Channel {
    if !matches!(input.data, Data::Struct { unit: true, .. }) {
        let example = format!("struct {};", input.ident);
        errors.on(&input.ident, format!("a channel is a name, without fields: `{example}`"));
    }
    refuse_generics(&input.generics, "a channel", errors);

    let (words, rest) = input
        .settings
        .given
        .into_iter()
        .partition::<Vec<_>, _>(|setting| setting.key != "crate" && matches!(setting.value, Value::None));
    input.settings.given = rest;
    let mut known = Known::sort(input.settings, &TYPE, errors);
    let facade = known.facade("channel", errors);
    let weight = known.expr("channel", "weight", "4", errors);

    let (mut mode, mut direction, mut direction_word) = (None, None, None);
    let mut refused = known.refused;
    for word in words.into_iter().map(|setting| setting.key) {
        if let Some((_, found)) = MODES.iter().find(|(name, _)| word == name) {
            set(&mut mode, *found, "mode", &word, errors);
        } else if let Some((_, found)) = DIRECTIONS.iter().find(|(name, _)| word == name) {
            set(&mut direction, *found, "direction", &word, errors);
            direction_word = Some(word);
        } else {
            errors.on(&word, unknown(&word));
            refused = true;
        }
    }
    if let (Some(Mode::TickBuffered), Some(Direction::ToClient | Direction::Bidirectional), Some(word)) =
        (mode, direction, &direction_word)
    {
        errors.on(word, "a tick-buffered channel carries inputs to the server: `to_server`");
    }
    // A word that was not understood may have been meant for the one that is missing.
    if !refused {
        require(mode.is_some(), "mode", &names(&MODES), input.ident.span(), errors);
        require(direction.is_some(), "direction", &names(&DIRECTIONS), input.ident.span(), errors);
    }
    Channel {
        facade,
        ident: input.ident,
        generics: input.generics,
        mode: mode.unwrap_or(Mode::OrderedReliable),
        direction: direction.unwrap_or(Direction::Bidirectional),
        weight,
    }
}

fn set<T>(place: &mut Option<T>, found: T, what: &str, word: &Ident, errors: &mut Errors) {
    if place.replace(found).is_some() {
        errors.on(word, format!("a channel has one {what}, `{word}` is another"));
    }
}

fn require(given: bool, what: &str, choices: &str, span: Span, errors: &mut Errors) {
    if !given {
        errors.at(
            span,
            format!("the channel needs a {what} in `#[channel(MODE, DIRECTION)]`: one of {choices}"),
        );
    }
}

fn unknown(word: &Ident) -> String {
    format!(
        "`{word}` is neither a mode nor a direction; the modes are {}, the directions {}",
        names(&MODES),
        names(&DIRECTIONS)
    )
}

fn names<T>(choices: &[(&str, T)]) -> String {
    listed(&choices.iter().map(|(name, _)| *name).collect::<Vec<_>>())
}
