use bowline::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::helm::{FULL, Stick};
use super::page::window;
use crate::game::{Glide, Sight, Thing};
use crate::protocol::{Position, ROOM_REACH};

/// The canvas: the room that our ship is in, seen from above.
#[derive(Debug, Default)]
pub(super) struct Sea {
    glide: Glide,
    drawn_at: f64,
}

/// From metres, northwards up, to pixels, downwards.
struct View {
    context: CanvasRenderingContext2d,
    middle: (f64, f64),
    pixels_per_metre: f64,
}

impl Sea {
    pub(super) fn draw(
        &mut self,
        canvas: &HtmlCanvasElement,
        sights: Vec<Sight>,
        ours: Option<NetEntity>,
        stick: Option<&Stick>,
        millis: f64,
    ) {
        let seconds = (millis - self.drawn_at) / 1e3;
        self.drawn_at = millis;
        let shown = self.glide.step(sights, seconds as f32);
        let Some(view) = View::of(canvas) else { return };
        view.water();
        for Sight { entity, at, thing } in &shown {
            match thing {
                Thing::Gate { to } => view.gate(at, &format!("to the {to}")),
                Thing::Pearl { worth } => view.pearl(at, *worth),
                Thing::Ship { name } => view.ship(at, name, ours == Some(*entity)),
            }
        }
        if let Some(stick) = stick {
            view.stick(stick);
        }
    }
}

impl View {
    fn of(canvas: &HtmlCanvasElement) -> Option<Self> {
        let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        // As sharp as the screen is.
        let scale = window().device_pixel_ratio();
        let (width, height) = (f64::from(canvas.client_width()), f64::from(canvas.client_height()));
        let (across, down) = ((width * scale) as u32, (height * scale) as u32);
        if canvas.width() != across || canvas.height() != down {
            canvas.set_width(across);
            canvas.set_height(down);
        }
        context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0).ok()?;
        let pixels_per_metre = width.min(height) / (2.0 * f64::from(ROOM_REACH) + 6.0);
        Some(Self { context, middle: (width / 2.0, height / 2.0), pixels_per_metre })
    }

    fn at(&self, place: &Position) -> (f64, f64) {
        let pixels = |metres: f32| f64::from(metres) * self.pixels_per_metre;
        (self.middle.0 + pixels(place.x), self.middle.1 - pixels(place.y))
    }

    fn water(&self) {
        let reach = f64::from(ROOM_REACH) * self.pixels_per_metre;
        self.context.clear_rect(0.0, 0.0, self.middle.0 * 2.0, self.middle.1 * 2.0);
        self.context.set_fill_style_str("#0b3a53");
        self.context.fill_rect(self.middle.0 - reach, self.middle.1 - reach, reach * 2.0, reach * 2.0);
        self.context.set_stroke_style_str("#14506f");
        self.context.set_line_width(1.0);
        self.context.begin_path();
        for line in -4..=4 {
            let offset = f64::from(line) * reach / 5.0;
            self.context.move_to(self.middle.0 + offset, self.middle.1 - reach);
            self.context.line_to(self.middle.0 + offset, self.middle.1 + reach);
            self.context.move_to(self.middle.0 - reach, self.middle.1 + offset);
            self.context.line_to(self.middle.0 + reach, self.middle.1 + offset);
        }
        self.context.stroke();
    }

    fn gate(&self, place: &Position, label: &str) {
        let at = self.at(place);
        self.disc(at, 1.8 * self.pixels_per_metre, "#5b3f8f");
        self.disc(at, 1.2 * self.pixels_per_metre, "#b79cf0");
        self.label(at, 3.6, label, "#cbb9f5");
    }

    fn pearl(&self, place: &Position, worth: u8) {
        let size = 0.5 + 0.25 * f64::from(worth);
        self.disc(self.at(place), (size * self.pixels_per_metre).max(3.0), "#f7f3e8");
    }

    fn ship(&self, place: &Position, name: &str, is_ours: bool) {
        let at = self.at(place);
        let size = (1.6 * self.pixels_per_metre).max(7.0);
        self.context.set_fill_style_str(if is_ours { "#ffb000" } else { "#7fd4ff" });
        self.context.begin_path();
        self.context.move_to(at.0, at.1 - size);
        self.context.line_to(at.0 + size * 0.7, at.1 + size * 0.8);
        self.context.line_to(at.0 - size * 0.7, at.1 + size * 0.8);
        self.context.close_path();
        self.context.fill();
        self.label(at, -2.4, name, if is_ours { "#ffd27a" } else { "#c9edff" });
    }

    fn stick(&self, stick: &Stick) {
        self.context.set_stroke_style_str("#ffffff88");
        self.context.set_line_width(2.0);
        self.context.begin_path();
        // A circle is always an arc that can be drawn.
        let _ = self.context.arc(stick.from.0, stick.from.1, FULL, 0.0, std::f64::consts::TAU);
        self.context.stroke();
        self.disc(stick.to, 12.0, "#ffffffaa");
    }

    fn disc(&self, at: (f64, f64), radius: f64, colour: &str) {
        self.context.set_fill_style_str(colour);
        self.context.begin_path();
        let _ = self.context.arc(at.0, at.1, radius, 0.0, std::f64::consts::TAU);
        self.context.fill();
    }

    /// A label so many metres below.
    fn label(&self, at: (f64, f64), metres: f64, text: &str, colour: &str) {
        self.context.set_font("14px system-ui, sans-serif");
        self.context.set_text_align("center");
        self.context.set_fill_style_str(colour);
        // Without it there is still the thing.
        let _ = self.context.fill_text(text, at.0, at.1 + metres * self.pixels_per_metre);
    }
}
