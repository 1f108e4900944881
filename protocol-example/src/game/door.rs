//! Who comes in.

use bowline::prelude::*;
use bowline::transport::Address;

use super::{ServerNews, printable};
use crate::protocol::{Arena, Login, TOKEN};

/// Somebody asks to come in. The answer could as well be given many frames later: the ticket can be kept.
pub fn decide<A: Address>(ticket: AuthTicket<Arena, A>) -> Vec<ServerNews> {
    let name = printable(&ticket.auth().name);
    let asked = ServerNews::Asked { name: name.clone(), address: ticket.address().to_string() };
    match may_enter(ticket.auth()) {
        Ok(()) => {
            ticket.accept();
            vec![asked]
        }
        Err(reason) => {
            ticket.reject(reason.clone());
            vec![asked, ServerNews::Refused { name, reason }]
        }
    }
}

/// Who may come in, and the reason that others are told.
fn may_enter(login: &Login) -> Result<(), RejectReason> {
    if login.token != TOKEN {
        return Err(RejectReason::Unauthorized);
    }
    if login.name.trim().is_empty() || login.name != printable(&login.name) {
        return Err(RejectReason::custom("choose a name that can be read"));
    }
    Ok(())
}
