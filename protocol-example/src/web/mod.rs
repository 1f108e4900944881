//! The page on which the arena is played: the same protocol and the same client as in a terminal, on a canvas.
//!
//! * `game.rs`: the client, and what its news does to the page.
//! * `page.rs`: the elements of `web/index.html` that it writes to.
//! * `sea.rs`: the canvas.
//! * `helm.rs`: keys and fingers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::transport::webrtc;
use bowline::transport::webrtc::browser::Ticker;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

use crate::game::ClientSide;

mod game;
mod helm;
mod page;
mod sea;

use game::Game;
use page::Page;

/// A client that can play on a page.
pub trait Client: ClientSide<Socket = webrtc::ClientSocket> + 'static {}

impl<C: ClientSide<Socket = webrtc::ClientSocket> + 'static> Client for C {}

/// Shows the page, and plays as soon as the player has a name, with a client on whichever engine. What that is called stands in
/// the page, as `data-engine` of its body.
///
/// # Panics
/// If it does not find what `web/index.html` has.
pub fn start<C: Client>(engine: &str) {
    std::panic::set_hook(Box::new(|why| web_sys::console::error_1(&JsValue::from(why.to_string()))));
    let page = Page::find().expect("the elements of `web/index.html`");
    page.show_engine(engine);
    let game = Rc::new(RefCell::new(Game::<C>::new(page)));

    listen_to_the_player(&game);
    // ANCHOR: ticker
    // In a hidden tab too: the session lives on, and what arrives is taken in.
    let ticking = Rc::clone(&game);
    let ticker = Ticker::start(FRAME, move || ticking.borrow_mut().turn());
    // ANCHOR_END: ticker
    // For as long as the page is there.
    std::mem::forget(ticker);
    draw_each_frame(game);
}

/// Between two turns of the client: a third of a tick would do; this is what a hand at the helm notices.
const FRAME: Duration = Duration::from_millis(10);

fn listen_to_the_player(game: &Rc<RefCell<Game<impl Client>>>) {
    let (window, page) = (page::window(), game.borrow().page().clone());
    on(&page.join, "submit", game, |game, event| {
        event.prevent_default();
        game.join();
    });
    on(&page.chat, "submit", game, |game, event| {
        event.prevent_default();
        game.say();
    });
    on(&page.leave, "click", game, |game, _| game.leave());
    for kind in ["keydown", "keyup"] {
        on(&window, kind, game, |game, event| game.helm.take_key(event));
    }
    for kind in ["pointerdown", "pointermove", "pointerup", "pointercancel"] {
        on(&page.canvas, kind, game, |game, event| {
            let page = game.page().clone();
            game.helm.take_pointer(event, &page);
        });
    }
    on(&window, "blur", game, |game, _| game.helm.let_go());
    // A page that goes says goodbye, so that nobody waits for it.
    on(&window, "pagehide", game, |game, _| game.leave());
    game.borrow_mut().join_by_address();
}

/// Calls back for as long as the page is there.
fn on<C: Client>(
    target: &EventTarget,
    kind: &str,
    game: &Rc<RefCell<Game<C>>>,
    mut call: impl FnMut(&mut Game<C>, &Event) + 'static,
) {
    let game = Rc::clone(game);
    let callback = Closure::<dyn FnMut(Event)>::new(move |event: Event| call(&mut game.borrow_mut(), &event));
    let listening = target.add_event_listener_with_callback(kind, callback.as_ref().unchecked_ref());
    listening.expect("an event that every browser has");
    callback.forget();
}

/// What the browser calls with the time of a frame.
type EachFrame = Closure<dyn FnMut(f64)>;

/// Draws when the browser shows a frame, which in a hidden tab it does not.
fn draw_each_frame(game: Rc<RefCell<Game<impl Client>>>) {
    let next: Rc<RefCell<Option<EachFrame>>> = Rc::default();
    let again = Rc::clone(&next);
    *next.borrow_mut() = Some(Closure::new(move |millis| {
        game.borrow_mut().draw(millis);
        request_frame(again.borrow().as_ref());
    }));
    request_frame(next.borrow().as_ref());
}

fn request_frame(callback: Option<&Closure<dyn FnMut(f64)>>) {
    if let Some(callback) = callback {
        let requested = page::window().request_animation_frame(callback.as_ref().unchecked_ref());
        requested.expect("every browser has animation frames");
    }
}
