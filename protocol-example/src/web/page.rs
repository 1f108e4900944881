use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlCanvasElement, HtmlElement, HtmlFormElement, HtmlInputElement, Window};

/// The elements of `web/index.html`.
#[derive(Clone, Debug)]
pub(super) struct Page {
    document: Document,
    pub(super) canvas: HtmlCanvasElement,
    pub(super) join: HtmlFormElement,
    pub(super) name: HtmlInputElement,
    pub(super) chat: HtmlFormElement,
    pub(super) line: HtmlInputElement,
    pub(super) leave: HtmlElement,
    state: HtmlElement,
    reason: HtmlElement,
    scores: HtmlElement,
    figures: HtmlElement,
    log: HtmlElement,
}

/// The state of the connection, as the page shows it: large, and as `data-state` for the style sheet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Ashore,
    Connecting,
    Connected,
    Reconnecting { attempt: u32, seconds: f64 },
    Refused,
    Ended,
}

impl Page {
    pub(super) fn find() -> Option<Self> {
        let document = window().document()?;
        Some(Self {
            canvas: find(&document, "sea")?,
            join: find(&document, "join")?,
            name: find(&document, "name")?,
            chat: find(&document, "chat")?,
            line: find(&document, "line")?,
            leave: find(&document, "leave")?,
            state: find(&document, "state")?,
            reason: find(&document, "reason")?,
            scores: find(&document, "scores")?,
            figures: find(&document, "figures")?,
            log: find(&document, "log")?,
            document,
        })
    }

    /// Shows how the connection is, and why, where there is a reason.
    pub(super) fn show_state(&self, state: &State, why: &str) {
        let (name, text) = match state {
            State::Ashore => ("ashore", "ashore".to_owned()),
            State::Connecting => ("connecting", "connecting".to_owned()),
            State::Connected => ("connected", "connected".to_owned()),
            State::Reconnecting { attempt, seconds } => {
                ("reconnecting", format!("lost; attempt {attempt} in {seconds:.1} s"))
            }
            State::Refused => ("refused", "not let in".to_owned()),
            State::Ended => ("ended", "disconnected".to_owned()),
        };
        if let Some(body) = self.document.body() {
            // An attribute that cannot be set is one that is not styled.
            let _ = body.set_attribute("data-state", name);
        }
        self.state.set_text_content(Some(&text));
        self.reason.set_text_content(Some(why));
    }

    pub(super) fn show_engine(&self, name: &str) {
        if let Some(body) = self.document.body() {
            let _ = body.set_attribute("data-engine", name);
        }
    }

    pub(super) fn show_figures(&self, text: &str) {
        self.figures.set_text_content(Some(text));
    }

    pub(super) fn show_scores(&self, scores: &[(String, u16)]) {
        self.scores.set_text_content(None);
        for (name, points) in scores {
            self.add_line(&self.scores, &format!("{points:>4}  {name}"));
        }
    }

    /// Adds a line to what is said, and drops the oldest of many.
    pub(super) fn log(&self, text: &str) {
        self.add_line(&self.log, text);
        while self.log.child_element_count() > LINES
            && let Some(oldest) = self.log.first_element_child()
        {
            oldest.remove();
        }
        self.log.set_scroll_top(self.log.scroll_height());
    }

    fn add_line(&self, to: &Element, text: &str) {
        if let Ok(line) = self.document.create_element("li") {
            // As text: what others write is never taken for HTML.
            line.set_text_content(Some(text));
            let _ = to.append_child(&line);
        }
    }
}

/// Lines of what is said.
const LINES: u32 = 50;

/// The window, which a page always has.
pub(super) fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

fn find<T: JsCast>(document: &Document, id: &str) -> Option<T> {
    document.get_element_by_id(id)?.dyn_into().ok()
}
