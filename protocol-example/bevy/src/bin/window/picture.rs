//! What is in the window, pixel by pixel.

use std::collections::VecDeque;
use std::convert::Infallible;

use bevy_ecs::prelude::Resource;
use bowline::NetEntity;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_7X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, Rectangle, Triangle};
use embedded_graphics::text::{Alignment, Text};
use protocol_example::game::{Sight, Thing};
use protocol_example::protocol::{Position, ROOM_REACH};

const LAND: Rgb888 = Rgb888::new(0x06, 0x1d, 0x2b);
const WATER: Rgb888 = Rgb888::new(0x0b, 0x3a, 0x53);
const WAVE: Rgb888 = Rgb888::new(0x14, 0x50, 0x6f);
const GATE: Rgb888 = Rgb888::new(0xb7, 0x9c, 0xf0);
const PEARL: Rgb888 = Rgb888::new(0xf7, 0xf3, 0xe8);
pub(crate) const OURS: Rgb888 = Rgb888::new(0xff, 0xb0, 0x00);
pub(crate) const THEIRS: Rgb888 = Rgb888::new(0x7f, 0xd4, 0xff);
const WORDS: Rgb888 = Rgb888::new(0xe0, 0xf0, 0xf8);

/// Of a line of words, in pixels.
const LINE: i32 = 16;
/// So many lines of what is said stay in sight.
const SAYINGS: usize = 6;

/// What is written beside the sea.
#[derive(Resource, Debug, Default)]
pub(crate) struct Board {
    /// How the connection is.
    pub(crate) state: &'static str,
    /// Why it is not there.
    pub(crate) why: String,
    sayings: VecDeque<String>,
}

impl Board {
    /// Somebody has said something: the oldest of many goes.
    pub(crate) fn say(&mut self, saying: String) {
        self.sayings.push_back(saying);
        while self.sayings.len() > SAYINGS {
            self.sayings.pop_front();
        }
    }
}

/// The pixels of a window, as red, green and blue in the lower 24 bits of each.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    pixels: Vec<u32>,
    size: Size,
}

impl Picture {
    pub(crate) fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// Draws all of it anew: the room that our ship is in, from above, and words around it.
    pub(crate) fn paint(
        &mut self,
        (width, height): (usize, usize),
        shown: &[Sight],
        ours: Option<NetEntity>,
        scores: &[(String, u16)],
        board: &Board,
    ) {
        self.size = Size::new(width as u32, height as u32);
        self.pixels.clear();
        self.pixels.resize(width * height, pixel(LAND));
        let sea = Sea::within(self.size);
        // A picture takes every pixel: those outside are let go.
        let Ok(()) = sea.paint(self, shown, ours);
        let Ok(()) = self.write(board, scores);
    }

    fn write(&mut self, board: &Board, scores: &[(String, u16)]) -> Result<(), Infallible> {
        let (right, bottom) = (self.size.width as i32 - 8, self.size.height as i32 - 8);
        let style = MonoTextStyle::new(&FONT_7X13, WORDS);
        let state = format!("{} {}", board.state, board.why);
        Text::new(&state, Point::new(8, LINE), style).draw(self)?;
        for (line, (name, points)) in (1..).zip(scores) {
            let score = format!("{name} {points:>4}");
            let at = Point::new(right, line * LINE);
            Text::with_alignment(&score, at, style, Alignment::Right).draw(self)?;
        }
        for (line, saying) in (0..).zip(board.sayings.iter().rev()) {
            Text::new(saying, Point::new(8, bottom - line * LINE), style).draw(self)?;
        }
        Ok(())
    }
}

/// From metres, northwards up, to pixels, downwards.
struct Sea {
    middle: Point,
    pixels_per_metre: f32,
}

impl Sea {
    fn within(size: Size) -> Self {
        let pixels_per_metre = size.width.min(size.height) as f32 / (2.0 * ROOM_REACH + 6.0);
        Self { middle: Point::new(size.width as i32 / 2, size.height as i32 / 2), pixels_per_metre }
    }

    fn at(&self, place: &Position) -> Point {
        self.middle + Point::new(self.pixels(place.x), -self.pixels(place.y))
    }

    fn pixels(&self, metres: f32) -> i32 {
        (metres * self.pixels_per_metre) as i32
    }

    fn paint(
        &self,
        picture: &mut Picture,
        shown: &[Sight],
        ours: Option<NetEntity>,
    ) -> Result<(), Infallible> {
        self.water(picture)?;
        for Sight { entity, at, thing } in shown {
            let at = self.at(at);
            match thing {
                Thing::Gate { to } => {
                    self.disc(picture, at, 1.8, GATE)?;
                    label(picture, at + Point::new(0, self.pixels(4.0)), &format!("to the {to}"), GATE)?;
                }
                Thing::Pearl { worth } => self.disc(picture, at, 0.5 + 0.25 * f32::from(*worth), PEARL)?,
                Thing::Ship { name } => {
                    let colour = if ours == Some(*entity) { OURS } else { THEIRS };
                    self.ship(picture, at, colour)?;
                    label(picture, at - Point::new(0, self.pixels(2.2)), name, colour)?;
                }
            }
        }
        Ok(())
    }

    fn water(&self, picture: &mut Picture) -> Result<(), Infallible> {
        let reach = self.pixels(ROOM_REACH);
        let corner = Point::new(reach, reach);
        let room = Rectangle::with_corners(self.middle - corner, self.middle + corner);
        room.into_styled(PrimitiveStyle::with_fill(WATER)).draw(picture)?;
        let style = PrimitiveStyle::with_stroke(WAVE, 1);
        for line in -4..=4 {
            let offset = line * reach / 5;
            for (from, to) in [
                (Point::new(offset, -reach), Point::new(offset, reach)),
                (Point::new(-reach, offset), Point::new(reach, offset)),
            ] {
                Line::new(self.middle + from, self.middle + to).into_styled(style).draw(picture)?;
            }
        }
        Ok(())
    }

    fn disc(&self, picture: &mut Picture, at: Point, metres: f32, colour: Rgb888) -> Result<(), Infallible> {
        let diameter = self.pixels(2.0 * metres).max(6) as u32;
        Circle::with_center(at, diameter).into_styled(PrimitiveStyle::with_fill(colour)).draw(picture)
    }

    fn ship(&self, picture: &mut Picture, at: Point, colour: Rgb888) -> Result<(), Infallible> {
        let size = self.pixels(1.6).max(7);
        let (bow, stern) = (Point::new(0, -size), Point::new(size * 7 / 10, size * 8 / 10));
        Triangle::new(at + bow, at + stern, at + Point::new(-stern.x, stern.y))
            .into_styled(PrimitiveStyle::with_fill(colour))
            .draw(picture)
    }
}

fn label(picture: &mut Picture, at: Point, text: &str, colour: Rgb888) -> Result<(), Infallible> {
    let style = MonoTextStyle::new(&FONT_7X13, colour);
    Text::with_alignment(text, at, style, Alignment::Center).draw(picture).map(drop)
}

fn pixel(colour: Rgb888) -> u32 {
    u32::from(colour.r()) << 16 | u32::from(colour.g()) << 8 | u32::from(colour.b())
}

impl OriginDimensions for Picture {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Picture {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        for Pixel(at, colour) in pixels {
            if (0..width).contains(&at.x) && (0..height).contains(&at.y) {
                self.pixels[(at.y * width + at.x) as usize] = pixel(colour);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use protocol_example::protocol::Room;

    use super::*;

    fn ship(id: u32, x: f32, y: f32) -> Sight {
        let at = Position { room: Room::Bay, x, y };
        Sight { entity: NetEntity::new(id, 0), at, thing: Thing::Ship { name: "Ann".to_owned() } }
    }

    /// Where the pixels of a colour are in the middle, as parts of the picture's width and height.
    fn middle_of(picture: &Picture, colour: Rgb888) -> Option<(f32, f32)> {
        let width = picture.size.width as usize;
        let all = picture.pixels().iter().enumerate().filter(|(_, found)| **found == pixel(colour));
        let places: Vec<_> = all.map(|(place, _)| ((place % width) as f32, (place / width) as f32)).collect();
        let count = places.len() as f32;
        let (x, y) = places.iter().fold((0.0, 0.0), |(x, y), at| (x + at.0, y + at.1));
        let size = (picture.size.width as f32, picture.size.height as f32);
        (count > 0.0).then(|| (x / count / size.0, y / count / size.1))
    }

    #[test]
    fn north_is_up_east_is_right_and_our_ship_has_its_own_colour() {
        let mut picture = Picture::default();
        let ships = [ship(1, 25.0, 25.0), ship(2, -25.0, -25.0)];
        picture.paint((400, 400), &ships, Some(NetEntity::new(1, 0)), &[], &Board::default());
        let (x, y) = middle_of(&picture, OURS).expect("our ship");
        assert!((0.65..0.8).contains(&x) && (0.2..0.35).contains(&y), "{x} {y}");
        let (x, y) = middle_of(&picture, THEIRS).expect("the other ship");
        assert!((0.2..0.35).contains(&x) && (0.65..0.8).contains(&y), "{x} {y}");
    }

    #[test]
    fn no_window_is_too_small_and_what_is_outside_is_let_go() {
        let mut picture = Picture::default();
        let mut board = Board { state: "connected", ..Board::default() };
        (0..20).for_each(|number| board.say(format!("saying {number}, which is long")));
        assert_eq!(board.sayings.len(), SAYINGS);
        let scores = vec![("somebody".to_owned(), 7); 64];
        for size in [(0, 0), (1, 1), (20, 300), (300, 20)] {
            picture.paint(size, &[ship(1, 49.0, -49.0)], None, &scores, &board);
            assert_eq!(picture.pixels().len(), size.0 * size.1);
        }
    }
}
