//! Who has a session, on a path that vouches for every byte: whatever comes in, the other side is taken to have said.

use bowline::transport::Security;

use crate::datagrams::{parse, write};
use crate::sessions::Sessions;

/// The first byte says whether packets may be compressed.
pub(crate) fn run(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let mut sessions = Sessions::new(Security::FULL, how & 1 == 1);
    sessions.connect();
    sessions.hear(&parse(bytes));
    sessions.life_goes_on();
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let recorded = [false, true].into_iter().flat_map(|is_compressed| {
        let said = Sessions::new(Security::FULL, is_compressed).recorded(false);
        let each: Vec<_> = said.iter().map(|one| write(std::slice::from_ref(one))).collect();
        let all = each.into_iter().chain([write(&said)]);
        all.map(move |bytes| [&[u8::from(is_compressed)], &*bytes].concat())
    });
    recorded.collect()
}
