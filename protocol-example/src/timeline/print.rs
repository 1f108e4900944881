use std::io::{self, Write};

use owo_colors::{OwoColorize, Style};

use super::{Audience, Event, Line, Measured, State};

/// For people: aligned columns, and colours where standard output is a terminal that wants them (`NO_COLOR` is heeded).
#[derive(Debug, Default)]
pub struct Terminal {
    scene: &'static str,
    has_table: bool,
}

/// How wide the columns are in front of what happened.
const MARGIN: usize = 35;
/// How wide a text beside them may be that would else be far too long.
const TEXT: usize = 72;

impl Audience for Terminal {
    fn see(&mut self, line: &Line) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        if self.scene != line.scene {
            self.scene = line.scene;
            writeln!(out, "\n{}", line.scene.bold())?;
        }
        let who = format!("{:<8}", line.who);
        let who = who.style(style_of(&line.who));
        if let Event::Measured(measured) = &line.event {
            if !std::mem::replace(&mut self.has_table, true) {
                for header in Measured::HEADER {
                    writeln!(out, "          {}", header.dimmed())?;
                }
            }
            return writeln!(out, "  {who}{measured}");
        }
        let at = format!("{:>6} ms", line.at_ms);
        let state = format!("{:<13}", format!("{:?}", line.state));
        let state = state.style(match line.state {
            State::Listening | State::PendingAuth => Style::new().yellow(),
            State::Connected => Style::new().green(),
            State::Disconnected => Style::new().red(),
        });
        writeln!(out, "{}  {who} {state}  {}", at.dimmed(), line.event)?;
        if let Event::Rejected(refusal) = &line.event {
            for difference in &refusal.differences {
                for part in wrapped(difference) {
                    writeln!(out, "{:MARGIN$}{part}", "")?;
                }
            }
        }
        out.flush()
    }
}

/// Cut at spaces into parts of at most [`TEXT`] bytes, where that is possible.
fn wrapped(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match parts.last_mut() {
            Some(part) if part.len() + 1 + word.len() <= TEXT => {
                part.push(' ');
                part.push_str(word);
            }
            _ => parts.push(word.to_owned()),
        }
    }
    parts
}

/// The same name has the same colour, in every run.
fn style_of(who: &str) -> Style {
    let plain = Style::new();
    let colours = [
        plain.cyan(),
        plain.magenta(),
        plain.bright_green(),
        plain,
        plain.bright_magenta(),
        plain.bright_blue(),
    ];
    let sum: usize = who.bytes().map(usize::from).sum();
    colours[sum % colours.len()].bold()
}

/// For programs: one JSON object a line, and nothing else.
#[derive(Debug, Default)]
pub struct JsonLines;

impl Audience for JsonLines {
    fn see(&mut self, line: &Line) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, line)?;
        writeln!(out)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_spaces() {
        let text =
            "message `Steer` is Steer{turn: f32 in -1..=1 by 0.01} on the server and that is long enough";
        let parts = wrapped(text);
        assert_eq!(parts.join(" "), text);
        assert!(parts.len() == 2 && parts.iter().all(|part| part.len() <= TEXT), "{parts:?}");
        assert_eq!(wrapped(&"x".repeat(200)).len(), 1);
    }
}
