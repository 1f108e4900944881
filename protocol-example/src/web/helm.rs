use std::collections::BTreeSet;

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlInputElement, KeyboardEvent, PointerEvent};

use super::page::Page;
use crate::protocol::Steer;

/// Keys and fingers. Whichever was touched last steers.
#[derive(Debug, Default)]
pub(super) struct Helm {
    keys: BTreeSet<Key>,
    /// From where a finger went down to where it is, as far as that counts.
    stick: Option<Stick>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    East,
    North,
    West,
    South,
}

/// A finger on the canvas: a stick that stands where it went down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stick {
    pointer: i32,
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

impl Helm {
    /// Where the ship is to sail; `None` where nobody steers.
    pub(super) fn steer(&self) -> Option<Steer> {
        if let Some(stick) = &self.stick {
            return Some(stick.steer());
        }
        let held = |key| f32::from(u8::from(self.keys.contains(&key)));
        let (east, north) = (held(Key::East) - held(Key::West), held(Key::North) - held(Key::South));
        (!self.keys.is_empty()).then_some(Steer { east, north })
    }

    /// The finger, to be drawn.
    pub(super) const fn stick(&self) -> Option<&Stick> {
        self.stick.as_ref()
    }

    pub(super) fn let_go(&mut self) {
        *self = Self::default();
    }

    pub(super) fn take_key(&mut self, event: &Event) {
        let is_typing = event.target().is_some_and(|target| target.has_type::<HtmlInputElement>());
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        let Some(key) = Key::of(&event.code()).filter(|_| !is_typing) else { return };
        // An arrow would scroll the page.
        event.prevent_default();
        if event.type_() == "keydown" {
            self.keys.insert(key);
        } else {
            self.keys.remove(&key);
        }
    }

    pub(super) fn take_pointer(&mut self, event: &Event, page: &Page) {
        let Some(event) = event.dyn_ref::<PointerEvent>() else { return };
        let (pointer, at) = (event.pointer_id(), (event.client_x().into(), event.client_y().into()));
        match (&*event.type_(), &mut self.stick) {
            ("pointerdown", None) => {
                // The end comes to us too where the finger has left the canvas by then.
                let _ = page.canvas.set_pointer_capture(pointer);
                // What was typed into is left alone.
                for input in [&page.line, &page.name] {
                    let _ = AsRef::<HtmlElement>::as_ref(input).blur();
                }
                self.stick = Some(Stick { pointer, from: at, to: at });
            }
            ("pointermove", Some(stick)) if stick.pointer == pointer => stick.to = at,
            ("pointerup" | "pointercancel", Some(stick)) if stick.pointer == pointer => self.stick = None,
            _ => {}
        }
    }
}

impl Key {
    fn of(code: &str) -> Option<Self> {
        match code {
            "ArrowRight" | "KeyD" => Some(Self::East),
            "ArrowUp" | "KeyW" => Some(Self::North),
            "ArrowLeft" | "KeyA" => Some(Self::West),
            "ArrowDown" | "KeyS" => Some(Self::South),
            _ => None,
        }
    }
}

impl Stick {
    fn steer(&self) -> Steer {
        let (east, south) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        let far = east.hypot(south).max(FULL);
        Steer { east: (east / far) as f32, north: (-south / far) as f32 }
    }
}

/// So far from where it went down a finger means full speed, in pixels.
pub(super) const FULL: f64 = 48.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn stick(to: (f64, f64)) -> Steer {
        Stick { pointer: 0, from: (100.0, 100.0), to }.steer()
    }

    #[test]
    fn a_finger_steers_from_where_it_went_down() {
        assert_eq!(stick((100.0, 100.0)), Steer { east: 0.0, north: 0.0 });
        assert_eq!(stick((124.0, 100.0)), Steer { east: 0.5, north: 0.0 });
        assert_eq!(stick((100.0, 10.0)), Steer { east: 0.0, north: 1.0 });
    }

    #[test]
    fn opposite_keys_are_a_ship_that_lies_still() {
        let mut helm = Helm::default();
        assert_eq!(helm.steer(), None);
        helm.keys.extend([Key::East, Key::North]);
        assert_eq!(helm.steer(), Some(Steer { east: 1.0, north: 1.0 }));
        helm.keys.insert(Key::West);
        assert_eq!(helm.steer(), Some(Steer { east: 0.0, north: 1.0 }));
        helm.let_go();
        assert_eq!(helm.steer(), None);
    }
}
