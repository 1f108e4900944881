//! Who has no session: hellos and their answers, on a path that proves nothing.

use bowline::transport::Security;

use crate::datagrams::{parse, write};
use crate::sessions::Sessions;

/// Into a server that has room for more, and into a client that asks to come in.
pub(crate) fn run(bytes: &[u8]) {
    let mut sessions = Sessions::new(Security::NONE, false);
    sessions.cluster.connect(1);
    sessions.cluster.run_for(std::time::Duration::from_millis(100));
    sessions.cluster.connect(0);
    sessions.hear(&parse(bytes));
    sessions.life_goes_on();
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let said = Sessions::new(Security::NONE, false).recorded(true);
    let each = said.iter().map(|one| write(std::slice::from_ref(one)));
    each.chain([write(&said)]).collect()
}
