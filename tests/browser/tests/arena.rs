//! The page of the example, served by the example, with a player in a terminal beside: without Bevy, and as Bevy apps.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use bowline_browser_tests::chromium::{Chromium, Page, setting};
use serde_json::Value;

/// A program of the example, which ends when it is dropped.
struct Program {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
}

/// What the game runs on: where the step that starts us says which program that is.
#[derive(Clone, Copy)]
struct On {
    /// As the page calls it.
    engine: &'static str,
    program: &'static str,
}

const ON_CORE: On = On { engine: "core", program: "BOWLINE_BROWSER_GAME" };
const ON_BEVY: On = On { engine: "bevy", program: "BOWLINE_BROWSER_BEVY_GAME" };

impl Program {
    fn start(on: On, arguments: &[&str]) -> Self {
        let mut command = Command::new(setting(on.program));
        command.args(["--transport", "webrtc", "--json"]).args(arguments);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program of the example");
        let lines = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, lines }
    }

    /// The next line about such an event.
    fn until(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).expect("a line") > 0, "it ended before {event}");
            let line: Value = serde_json::from_str(&line).expect("JSON");
            if line["event"] == event {
                return line;
            }
        }
    }

    fn say(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{line}").expect("it listens");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The page says which engine it is.
fn is_on(page: &Page, on: On) {
    page.until(&format!("document.body.dataset.engine === '{}'", on.engine));
}

fn until_state(page: &Page, state: &str) {
    page.until(&format!("document.body?.dataset.state === '{state}'"));
}

/// Where the ship is, as the page says it: eastwards and northwards.
const PLACE: &str = "(/ship +(-?[0-9.]+) m east, (-?[0-9.]+)/.exec(document.getElementById('figures').textContent) \
                     ?? []).slice(1).map(Number)";

#[test]
fn e2_the_arena_is_played_in_a_browser_and_in_a_terminal() {
    plays_in_a_browser_and_in_a_terminal(ON_CORE, ON_CORE, "arena");
}

#[test]
fn e2_the_arena_is_played_by_a_bevy_app_in_a_browser_and_one_in_a_terminal() {
    plays_in_a_browser_and_in_a_terminal(ON_BEVY, ON_BEVY, "bevy-arena");
}

#[test]
fn e2_a_bevy_app_in_a_browser_meets_a_player_without_bevy() {
    plays_in_a_browser_and_in_a_terminal(ON_BEVY, ON_CORE, "mixed-arena");
}

/// The server and its page are of one engine, the player in the terminal of another.
fn plays_in_a_browser_and_in_a_terminal(in_browser: On, in_terminal: On, name: &str) {
    let mut server = Program::start(in_browser, &["serve", "--bind", "127.0.0.1:0", "--for", "120"]);
    let address = server.until("listening")["address"].as_str().expect("an address").to_owned();
    let browser = Chromium::start();
    let page = browser.page(name);
    page.become_desktop();
    page.go(&address);
    until_state(&page, "ashore");
    is_on(&page, in_browser);
    page.value(
        "document.getElementById('name').value = 'Ann'; document.getElementById('join').requestSubmit()",
    );
    until_state(&page, "connected");

    let mut native = Program::start(in_terminal, &["join", "--server", &address, "--name", "Nat"]);
    native.until("connected");
    page.until("document.getElementById('scores').innerText.includes('Nat')");
    native.say("ahoy from a terminal");
    page.until("document.getElementById('log').innerText.includes('Nat: ahoy from a terminal')");
    page.value("document.getElementById('line').focus()");
    page.type_text("ahoy from a browser");
    page.value("document.getElementById('chat').requestSubmit(); document.getElementById('line').blur()");
    assert_eq!(native.until("heard")["text"], "ahoy from a browser");

    // By keys.
    native.say("/pearl");
    page.until(&format!("{PLACE}.length === 2"));
    let north = page.value(&format!("{PLACE}[1]")).as_f64().expect("a place");
    page.key("ArrowUp", true);
    page.until(&format!("{PLACE}[1] > {north} + 5"));
    page.key("ArrowUp", false);
    // It lies still, where nobody steers.
    page.until(&format!(
        "new Promise(done => {{ const before = {PLACE}[1]; setTimeout(() => done({PLACE}[1] === before), 700); }})"
    ));
    page.picture(&format!("{name}.png"));

    // By a finger, on a phone: from where it goes down to the left.
    page.become_phone();
    let east = page.value(&format!("{PLACE}[0]")).as_f64().expect("a place");
    page.touch(&[(200.0, 300.0), (140.0, 300.0)]);
    page.until(&format!("{PLACE}[0] < {east} - 5"));
    page.picture(&format!("{name}-phone.png"));
    page.touch(&[]);
    page.until("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight");

    page.value("document.getElementById('leave').click()");
    until_state(&page, "ended");
    let gone = server.until("disconnected");
    assert_eq!(gone["reason"], "the other side left", "{gone}");
    assert!(page.console().is_empty(), "{:#?}", page.console());
}

#[test]
fn e4_the_arena_says_why_there_is_no_connection() {
    says_why_there_is_no_connection(ON_CORE, "arena_refused");
}

#[test]
fn e4_the_arena_as_a_bevy_app_says_why_there_is_no_connection() {
    says_why_there_is_no_connection(ON_BEVY, "bevy_arena_refused");
}

fn says_why_there_is_no_connection(on: On, name: &str) {
    let mut server = Program::start(on, &["serve", "--bind", "127.0.0.1:0", "--for", "120"]);
    let address = server.until("listening")["address"].as_str().expect("an address").to_owned();
    let browser = Chromium::start();
    let page = browser.page(name);
    // A name that cannot be read is refused by the game.
    page.go(&format!("{address}/?name=%20"));
    until_state(&page, "refused");
    page.until("document.getElementById('reason')?.innerText.includes('choose a name that can be read')");
    is_on(&page, on);

    page.go(&format!("{address}/?name=Ann"));
    until_state(&page, "connected");
    drop(server);
    until_state(&page, "reconnecting");
    page.until("document.getElementById('reason')?.innerText.includes('cannot be reached')");
}
