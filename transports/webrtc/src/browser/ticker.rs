use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::Array;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Url, Window, Worker};

/// Calls back at a steady interval, in a hidden tab too. It stops when it is dropped.
///
/// A browser slows the timers of a page that nobody sees to one a second, and later one a minute: too few to keep a session
/// alive. It does not slow those of a worker, so this asks one to post a message for each turn. Where the page may have no
/// worker (its `Content-Security-Policy` would have to allow `worker-src blob:`), it is a timer of the page.
///
/// A page that is kept busy for longer than the interval gets one call afterwards, not all that it has missed.
///
/// ```no_run
/// # fn of<P: bowline_core::Protocol>() {
/// use std::time::Duration;
/// use bowline_webrtc::browser::Ticker;
///
/// let ticker = Ticker::start(Duration::from_millis(10), move || {
///     // client.receive(), all events, client.send()
/// });
/// # }
/// ```
pub struct Ticker {
    /// Shared with what the worker calls when it cannot work.
    source: Rc<RefCell<Source>>,
    /// Kept for as long as the browser may call it.
    _call: Rc<Closure<dyn FnMut()>>,
    _on_trouble: Option<Closure<dyn FnMut()>>,
}

/// Where the calls come from.
enum Source {
    Worker {
        worker: Worker,
        url: String,
    },
    Page {
        window: Window,
        interval: i32,
    },
    /// There is neither: nothing will call.
    Nowhere,
}

impl Ticker {
    /// Begins to call, first after one interval.
    #[must_use = "it stops when it is dropped"]
    pub fn start(interval: Duration, call: impl FnMut() + 'static) -> Self {
        let millis = i32::try_from(interval.as_millis()).unwrap_or(i32::MAX).max(1);
        let source = Rc::new(RefCell::new(Source::Nowhere));
        let call = Rc::new(worker_aware(call, &source));
        let Ok((worker, url)) = start_worker(millis, &call) else {
            *source.borrow_mut() = Source::of_page(millis, &call);
            return Self { source, _call: call, _on_trouble: None };
        };

        let (of_worker, of_call) = (Rc::clone(&source), Rc::clone(&call));
        let on_trouble = Closure::<dyn FnMut()>::new(move || {
            let page = Source::of_page(millis, &of_call);
            std::mem::replace(&mut *of_worker.borrow_mut(), page).stop();
        });
        worker.set_onerror(Some(on_trouble.as_ref().unchecked_ref()));
        *source.borrow_mut() = Source::Worker { worker, url };
        Self { source, _call: call, _on_trouble: Some(on_trouble) }
    }

    /// Whether it goes on in a hidden tab.
    #[must_use]
    pub fn runs_in_background(&self) -> bool {
        matches!(*self.source.borrow(), Source::Worker { .. })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        std::mem::replace(&mut *self.source.borrow_mut(), Source::Nowhere).stop();
    }
}

impl std::fmt::Debug for Ticker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticker")
            .field("runs_in_background", &self.runs_in_background())
            .finish_non_exhaustive()
    }
}

impl Source {
    fn of_page(millis: i32, call: &Closure<dyn FnMut()>) -> Self {
        let Some(window) = web_sys::window() else { return Self::Nowhere };
        let call = call.as_ref().unchecked_ref();
        match window.set_interval_with_callback_and_timeout_and_arguments_0(call, millis) {
            Ok(interval) => Self::Page { window, interval },
            Err(_) => Self::Nowhere,
        }
    }

    fn stop(self) {
        match self {
            Self::Worker { worker, url } => {
                worker.set_onmessage(None);
                worker.set_onerror(None);
                worker.terminate();
                // It would stay for as long as the page does.
                let _ = Url::revoke_object_url(&url);
            }
            Self::Page { window, interval } => window.clear_interval_with_handle(interval),
            Self::Nowhere => {}
        }
    }
}

/// The call, and the word to the worker that it has been made: it posts no second message before it has heard that.
fn worker_aware(mut call: impl FnMut() + 'static, source: &Rc<RefCell<Source>>) -> Closure<dyn FnMut()> {
    let source = Rc::clone(source);
    Closure::new(move || {
        if let Source::Worker { worker, .. } = &*source.borrow() {
            // A worker that is gone has said so by its error.
            let _ = worker.post_message(&JsValue::NULL);
        }
        call();
    })
}

fn start_worker(millis: i32, call: &Closure<dyn FnMut()>) -> Result<(Worker, String), JsValue> {
    let script = format!(
        "let heard = true; onmessage = () => {{ heard = true; }}; \
         setInterval(() => {{ if (heard) {{ heard = false; postMessage(null); }} }}, {millis});"
    );
    let kind = BlobPropertyBag::new();
    kind.set_type("text/javascript");
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&JsValue::from_str(&script)), &kind)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let worker = Worker::new(&url)?;
    worker.set_onmessage(Some(call.as_ref().unchecked_ref()));
    Ok((worker, url))
}
