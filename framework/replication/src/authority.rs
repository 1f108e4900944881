//! Who may write to an entity: the two machines, one on the server for each entity that can be lent, one on a client for each
//! that it knows of.

use std::fmt;

use crate::control::Standing;

/// How authority over an entity stands, for this client.
///
/// | | moved there by |
/// |---|---|
/// | [`Available`](Self::Available) | the server |
/// | [`Requested`](Self::Requested) | [`request_authority`](crate::ClientSide::request_authority), from `Available` |
/// | [`Granted`](Self::Granted) | the server |
/// | [`Releasing`](Self::Releasing) | [`release_authority`](crate::ClientSide::release_authority), from `Granted` or `Requested` |
/// | [`Denied`](Self::Denied) | the server |
///
/// ```
/// use bowline_core::{NetEntity, Protocol};
/// use bowline_replication::{Authority, ClientSide};
///
/// /// Whether this client may write to it now; asks for it where it can be had.
/// fn take<P: Protocol>(entities: &mut ClientSide<P>, entity: NetEntity) -> bool {
///     match entities.authority(entity) {
///         Some(Authority::Granted) => true,
///         Some(Authority::Available) => {
///             entities.request_authority(entity);
///             false
///         }
///         _ => false,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Nobody has it. It can be asked for.
    Available,
    /// It was asked for, and the server has not answered. What this client writes meanwhile is its own picture alone.
    Requested,
    /// This client has it: what it writes is replicated.
    Granted,
    /// It is being given back: what was written last is on its way to the server. What is written now may go with it or not.
    Releasing,
    /// Somebody else has it, or the server keeps it to itself. It can be asked for when it is `Available` again.
    Denied,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Available => "available",
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Releasing => "releasing",
            Self::Denied => "denied",
        })
    }
}

/// What happens to a client's authority over an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientInput {
    /// The game asks for it, or gives it back.
    Request,
    Release,
    /// All that was written has arrived.
    Drained,
    /// The server says how it stands.
    Heard(Standing),
}

/// What the client says to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Nothing,
    Request,
    Release,
}

impl Authority {
    /// The whole machine of a client. What is not in it changes nothing; `None` where there is no authority to be had.
    pub(crate) const fn after(self, input: ClientInput) -> (Option<Self>, Ask) {
        use Ask::{Nothing, Release, Request};
        use Authority::{Available, Denied, Granted, Releasing, Requested};
        use ClientInput as I;
        match (self, input) {
            (Available, I::Request) => (Some(Requested), Request),
            // The question may have been answered already: only the server knows when it is over.
            (Requested, I::Release) => (Some(Releasing), Release),
            (Granted, I::Release) => (Some(Releasing), Nothing),
            (Releasing, I::Drained) => (Some(Releasing), Release),
            (_, I::Request | I::Release | I::Drained) => (Some(self), Nothing),
            // It crossed what was said: the answer to that follows.
            (Releasing, I::Heard(Standing::Yours)) => (Some(Releasing), Nothing),
            (_, I::Heard(Standing::Yours)) => (Some(Granted), Nothing),
            (_, I::Heard(Standing::Available)) => (Some(Available), Nothing),
            (_, I::Heard(Standing::Denied)) => (Some(Denied), Nothing),
            (_, I::Heard(Standing::None)) => (None, Nothing),
        }
    }
}

/// Who has an entity that can be lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Nobody,
    /// The server itself, for as long as it likes.
    Server,
    /// A user, by slot.
    User(usize),
}

/// What happens to an entity that can be lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerInput {
    /// A user asks for it, and may have it or has to wait for the game's word.
    Request { user: usize, is_automatic: bool },
    /// A user gives it back.
    Release(usize),
    /// The game lets a user have it that has asked for it.
    Grant(usize),
    /// The game gives it to a user, whoever has it.
    Give(usize),
    /// The game takes it back, for others.
    Revoke,
    /// The game keeps it to itself.
    Take,
    /// A user does not see it any more, or is gone.
    Left(usize),
}

/// What follows from an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Nothing,
    /// All who see it are told how it stands.
    Changed,
    /// The one who asked is told how it stands.
    Answer,
    /// The game is asked.
    Ask,
}

impl Holder {
    /// The whole machine of the server. What is not in it changes nothing.
    pub(crate) fn after(self, input: ServerInput) -> (Self, Outcome) {
        use Holder::{Nobody, Server, User};
        use ServerInput as I;
        match (self, input) {
            (Nobody, I::Request { user, is_automatic: true }) => (User(user), Outcome::Changed),
            (Nobody, I::Request { is_automatic: false, .. }) => (Nobody, Outcome::Ask),
            (_, I::Request { .. }) => (self, Outcome::Answer),
            (Nobody, I::Grant(user)) => (User(user), Outcome::Changed),
            (User(holder), I::Grant(user) | I::Give(user)) if holder == user => (self, Outcome::Answer),
            (_, I::Grant(_)) => (self, Outcome::Nothing),
            (_, I::Give(user)) => (User(user), Outcome::Changed),
            (User(holder), I::Release(user) | I::Left(user)) if holder == user => (Nobody, Outcome::Changed),
            // A question that was taken back: the one who asked waits for a word.
            (_, I::Release(_)) => (self, Outcome::Answer),
            (_, I::Left(_)) => (self, Outcome::Nothing),
            (User(_) | Server, I::Revoke) => (Nobody, Outcome::Changed),
            (Nobody, I::Revoke) => (Nobody, Outcome::Nothing),
            (User(_) | Nobody, I::Take) => (Server, Outcome::Changed),
            (Server, I::Take) => (Server, Outcome::Nothing),
        }
    }

    /// How it stands, for a user.
    pub(crate) fn standing(self, user: usize) -> Standing {
        match self {
            Self::Nobody => Standing::Available,
            Self::User(holder) if holder == user => Standing::Yours,
            Self::User(_) | Self::Server => Standing::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Authority; 5] = [
        Authority::Available,
        Authority::Requested,
        Authority::Granted,
        Authority::Releasing,
        Authority::Denied,
    ];

    #[test]
    fn the_machine_of_a_client() {
        use ClientInput as I;
        let inputs = [
            I::Request,
            I::Release,
            I::Drained,
            I::Heard(Standing::Available),
            I::Heard(Standing::Yours),
            I::Heard(Standing::Denied),
            I::Heard(Standing::None),
        ];
        let mut table = String::new();
        for input in inputs {
            let cells = ALL.map(|authority| {
                let (after, ask) = authority.after(input);
                let after = after.map_or("gone".to_owned(), |after| after.to_string());
                if ask == Ask::Nothing { after } else { format!("{after} + {ask:?}") }
            });
            table += &format!("{input:?}: {}\n", cells.join(", "));
        }
        assert_eq!(
            table,
            "\
Request: requested + Request, requested, granted, releasing, denied
Release: available, releasing + Release, releasing, releasing, denied
Drained: available, requested, granted, releasing + Release, denied
Heard(Available): available, available, available, available, available
Heard(Yours): granted, granted, granted, releasing, granted
Heard(Denied): denied, denied, denied, denied, denied
Heard(None): gone, gone, gone, gone, gone
"
        );
    }

    #[test]
    fn the_machine_of_the_server() {
        use ServerInput as I;
        let inputs = [
            I::Request { user: 1, is_automatic: true },
            I::Request { user: 1, is_automatic: false },
            I::Release(1),
            I::Grant(1),
            I::Give(1),
            I::Revoke,
            I::Take,
            I::Left(1),
        ];
        let mut table = String::new();
        for input in inputs {
            let holders = [Holder::Nobody, Holder::Server, Holder::User(1), Holder::User(2)];
            let cells = holders.map(|holder| {
                let (after, outcome) = holder.after(input);
                format!("{after:?} {outcome:?}")
            });
            table += &format!("{input:?}: {}\n", cells.join(", "));
        }
        assert_eq!(
            table,
            "\
Request { user: 1, is_automatic: true }: User(1) Changed, Server Answer, User(1) Answer, User(2) Answer
Request { user: 1, is_automatic: false }: Nobody Ask, Server Answer, User(1) Answer, User(2) Answer
Release(1): Nobody Answer, Server Answer, Nobody Changed, User(2) Answer
Grant(1): User(1) Changed, Server Nothing, User(1) Answer, User(2) Nothing
Give(1): User(1) Changed, User(1) Changed, User(1) Answer, User(1) Changed
Revoke: Nobody Nothing, Nobody Changed, Nobody Changed, Nobody Changed
Take: Server Changed, Server Nothing, Server Changed, Server Changed
Left(1): Nobody Nothing, Server Nothing, Nobody Changed, User(2) Nothing
"
        );
    }
}
