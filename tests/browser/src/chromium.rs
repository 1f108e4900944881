//! A Chromium without a screen, and its pages, by the Chrome DevTools Protocol.
//!
//! The protocol is spoken over two pipes (`--remote-debugging-pipe`): JSON, with a zero byte after each message. There is
//! no port that something else could have, and the browser ends when its pipe does, so none is left behind by a test
//! that is killed.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::files::kind_of;

/// How long a browser may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// A browser of its own for one test. It ends when it is dropped, with all its pages.
#[derive(Debug)]
pub struct Chromium {
    wire: Rc<RefCell<Wire>>,
    /// What it keeps on disk.
    profile: PathBuf,
    results: PathBuf,
}

/// A page. Where the test fails, a picture of it and what its console said are left under `target/browser`.
#[derive(Debug)]
pub struct Page {
    wire: Rc<RefCell<Wire>>,
    target: String,
    session: String,
    name: String,
    results: PathBuf,
}

#[derive(Debug)]
struct Wire {
    browser: Child,
    into: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    /// What the consoles of pages said: the session, and the words.
    console: Vec<(String, String)>,
    /// An origin that is not there, and the folder that is shown in its place.
    made_up: Option<(String, PathBuf)>,
}

impl Chromium {
    /// Starts the browser that the step of `cargo xtask test` has found.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn start() -> Self {
        let program = setting("BOWLINE_BROWSER");
        let results = PathBuf::from(setting("BOWLINE_BROWSER_RESULTS"));
        let number = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos());
        let profile = results.join(format!("profile-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&profile).expect("a folder for the browser");
        let errors = std::fs::File::create(results.join("chromium.log")).expect("a log");
        // The browser reads from descriptor 3 and writes to 4; ours are 0 and 1.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", &program]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        let mut browser = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("a browser that starts");
        let into = browser.stdin.take().expect("a pipe");
        let from = listen(browser.stdout.take().expect("a pipe"));
        let wire =
            Rc::new(RefCell::new(Wire { browser, into, from, next: 0, console: Vec::new(), made_up: None }));
        Self { wire, profile, results }
    }

    /// A page of its own, which is called `name` where it leaves something behind.
    #[must_use]
    pub fn page(&self, name: &str) -> Page {
        let mut wire = self.wire.borrow_mut();
        let made = wire.ask(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let target = text(&made["targetId"]);
        let attached =
            wire.ask(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let session = text(&attached["sessionId"]);
        for domain in ["Page", "Runtime", "Log"] {
            wire.ask(Some(&session), &format!("{domain}.enable"), json!({}));
        }
        let (name, results) = (name.to_owned(), self.results.clone());
        Page { wire: Rc::clone(&self.wire), target, session, name, results }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let mut wire = self.wire.borrow_mut();
        wire.tell(None, "Browser.close", &json!({}));
        let until = Instant::now() + Duration::from_secs(5);
        while wire.browser.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = wire.browser.kill();
        let _ = wire.browser.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

impl Page {
    /// Goes to an address.
    pub fn go(&self, url: &str) {
        let gone = self.ask("Page.navigate", json!({ "url": url }));
        assert!(gone.get("errorText").is_none(), "{url}: {gone}");
    }

    /// Runs a script before those of every page that is loaded from now on.
    pub fn before_loading(&self, script: &str) {
        self.ask("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// Puts it in front of the other pages, which nobody sees then.
    pub fn to_front(&self) {
        self.ask("Page.bringToFront", json!({}));
    }

    /// Shows it the files of a folder as if they came from an origin that nobody has: one with https, say.
    pub fn make_up(&self, origin: &str, folder: &Path) {
        self.wire.borrow_mut().made_up = Some((origin.to_owned(), folder.to_owned()));
        self.ask("Fetch.enable", json!({ "patterns": [{ "urlPattern": format!("{origin}/*") }] }));
    }

    /// Loads it anew.
    pub fn reload(&self) {
        self.ask("Page.reload", json!({}));
    }

    /// Closes it, as its player would.
    pub fn close(&self) {
        self.wire.borrow_mut().ask(None, "Target.closeTarget", json!({ "targetId": self.target }));
    }

    /// The value of an expression of JavaScript.
    ///
    /// # Panics
    /// If it throws.
    pub fn value(&self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.ask("Runtime.evaluate", parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// What the page has written down.
    pub fn story(&self) -> Vec<String> {
        lines(&self.value("window.story ?? []"))
    }

    /// What the page sees.
    pub fn world(&self) -> Vec<String> {
        lines(&self.value("window.world ?? []"))
    }

    /// Tells the page to do something.
    pub fn command(&self, command: &str) {
        self.value(&format!("window.commands.push({})", json!(command)));
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// If it does not become so.
    pub fn until(&self, expression: &str) {
        let until = Instant::now() + LIMIT;
        while self.value(expression) != Value::Bool(true) {
            let page = || self.value("document.body?.innerText");
            assert!(
                Instant::now() < until,
                "not so: {expression}; the story: {:#?}; the page: {}",
                self.story(),
                page()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a line of the story begins so, and gives that line.
    pub fn until_told(&self, beginning: &str) -> String {
        self.until_told_after(0, beginning)
    }

    /// As [`until_told`](Self::until_told), among the lines after the first so many.
    pub fn until_told_after(&self, lines: usize, beginning: &str) -> String {
        let beginning_ = json!(beginning);
        self.until(&format!(
            "(window.story ?? []).slice({lines}).some(line => line.startsWith({beginning_}))"
        ));
        self.story().into_iter().skip(lines).find(|line| line.starts_with(beginning)).unwrap_or_default()
    }

    /// Freezes the page, as a browser does with one that nobody has looked at for long, or thaws it.
    pub fn set_frozen(&self, is_frozen: bool) {
        let state = if is_frozen { "frozen" } else { "active" };
        self.ask("Page.setWebLifecycleState", json!({ "state": state }));
    }

    /// Gives it the size, and the fingers, of a phone.
    pub fn become_phone(&self) {
        let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        self.ask("Emulation.setTouchEmulationEnabled", json!({ "enabled": true }));
    }

    /// Gives it the size of a window on a desk.
    pub fn become_desktop(&self) {
        let metrics = json!({ "width": 1024, "height": 640, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Presses a key, or lets it go: `ArrowUp`.
    pub fn key(&self, code: &str, is_down: bool) {
        let kind = if is_down { "keyDown" } else { "keyUp" };
        self.ask("Input.dispatchKeyEvent", json!({ "type": kind, "code": code, "key": code }));
    }

    /// A finger goes down, moves, and stays there; without points it goes up.
    pub fn touch(&self, points: &[(f64, f64)]) {
        let point = |(x, y): &(f64, f64)| json!([{ "x": x, "y": y }]);
        let mut kind = "touchStart";
        for at in points {
            self.ask("Input.dispatchTouchEvent", json!({ "type": kind, "touchPoints": point(at) }));
            kind = "touchMove";
        }
        if points.is_empty() {
            self.ask("Input.dispatchTouchEvent", json!({ "type": "touchEnd", "touchPoints": [] }));
        }
    }

    /// Types into what has the focus.
    pub fn type_text(&self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// A picture of the page, in a file under `target/browser`.
    pub fn picture(&self, file: &str) -> PathBuf {
        let path = self.results.join(file);
        let taken = self.ask("Page.captureScreenshot", json!({ "format": "png" }));
        std::fs::write(&path, base64(&text(&taken["data"]))).expect("a file for the picture");
        path
    }

    /// What the console of the page said.
    #[must_use]
    pub fn console(&self) -> Vec<String> {
        let wire = self.wire.borrow();
        let ours = wire.console.iter().filter(|(session, _)| *session == self.session);
        ours.map(|(_, words)| words.clone()).collect()
    }

    fn ask(&self, method: &str, parameters: Value) -> Value {
        self.wire.borrow_mut().ask(Some(&self.session), method, parameters)
    }

    fn leave_traces(&self) {
        let story = self.story().join("\n");
        let console = self.console().join("\n");
        let log = self.results.join(format!("{}.log", self.name));
        let _ = std::fs::write(&log, format!("-- story\n{story}\n-- console\n{console}\n"));
        let picture = self.picture(&format!("{}.png", self.name));
        eprintln!("what is left of the page: {} and {}", picture.display(), log.display());
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A page that is gone by now has nothing to show; a second panic would hide the first.
        if thread::panicking() {
            let traces = std::panic::AssertUnwindSafe(|| self.leave_traces());
            let _ = std::panic::catch_unwind(traces);
        }
    }
}

impl Wire {
    fn tell(&mut self, session: Option<&str>, method: &str, parameters: &Value) -> u64 {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        // A browser that has ended shows in its answer, which does not come.
        let _ = self.into.write_all(message.to_string().as_bytes()).and_then(|()| self.into.write_all(&[0]));
        let _ = self.into.flush();
        self.next
    }

    fn ask(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        let id = self.tell(session, method, &parameters);
        let until = Instant::now() + LIMIT;
        loop {
            let mut message = match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => panic!("the browser did not answer {method}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended; see chromium.log"),
            };
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.take_event(&message);
        }
    }

    fn take_event(&mut self, message: &Value) {
        let parameters = &message["params"];
        let words = match message["method"].as_str() {
            Some("Runtime.consoleAPICalled") => format!("{}: {}", parameters["type"], parameters["args"]),
            Some("Runtime.exceptionThrown") => {
                let details = &parameters["exceptionDetails"];
                format!("exception: {} {}", details["text"], details["exception"]["description"])
            }
            Some("Fetch.requestPaused") => return self.answer_for_the_made_up(message),
            Some("Log.entryAdded") => {
                format!("{}: {}", parameters["entry"]["level"], parameters["entry"]["text"])
            }
            _ => return,
        };
        self.console.push((text(&message["sessionId"]), words));
    }

    /// Its answer is not waited for: something else is.
    fn answer_for_the_made_up(&mut self, message: &Value) {
        let (session, request) = (text(&message["sessionId"]), &message["params"]);
        let url = text(&request["request"]["url"]);
        let file = self.made_up.as_ref().and_then(|(origin, folder)| {
            let path = url.strip_prefix(origin.as_str())?.split('?').next()?.trim_start_matches('/');
            let name = if path.is_empty() { "index.html" } else { path };
            Some((kind_of(name), std::fs::read(folder.join(name)).ok()?))
        });
        let answer = match file {
            Some((kind, bytes)) => json!({
                "requestId": request["requestId"],
                "responseCode": 200,
                "responseHeaders": [{ "name": "Content-Type", "value": kind }],
                "body": to_base64(&bytes),
            }),
            None => json!({ "requestId": request["requestId"], "responseCode": 404 }),
        };
        self.tell(Some(&session), "Fetch.fulfillRequest", &answer);
    }
}

/// What Debian's and anybody's Chromium needs where there is no screen, and what it need not do in a test.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-pipe",
];

/// What the step of `cargo xtask test` has found and made.
#[must_use]
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test --only browser`"))
}

fn listen(pipe: impl std::io::Read + Send + 'static) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for message in BufReader::new(pipe).split(0) {
            let Ok(message) = message else { break };
            let Ok(message) = serde_json::from_slice(&message) else { continue };
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    receiver
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn lines(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// RFC 4648 section 4: the browser sends pictures so.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for six in text.bytes().filter_map(digit) {
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

/// The other way round.
fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4_usize {
            let six = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[six as usize]) } else { '=' });
        }
    }
    text
}

/// Where the page of a test, or of the example, was built.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(&setting(name)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{base64, to_base64};

    #[test]
    fn pictures_are_read_and_files_written() {
        let known: [(&str, &[u8]); 5] = [
            ("Zm9vYmFy", b"foobar"),
            ("Zm9vYg==", b"foob"),
            ("Zm9vYmE=", b"fooba"),
            ("/+8=", &[0xff, 0xef]),
            ("", b""),
        ];
        for (text, bytes) in known {
            assert_eq!(base64(text), bytes);
            assert_eq!(to_base64(bytes), text);
        }
    }
}
