use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bowline_core::{Host, NetEntity, Protocol, Transport};

use crate::{RoomId, Server, UserId};

/// An area of interest: users see the entities around the place that they look at, in a world of any size.
///
/// The world is cut into square cells, each a [room](Server::create_room) of its own; a user is in the rooms of the cells
/// around it. An entity that moves within its cell costs a comparison, a user that stays in its cell too. Cells where nobody
/// and nothing is are forgotten.
///
/// ```
/// use bowline_core::{Host, NetEntity, Protocol, Transport};
/// use bowline_server::{Grid, Server, UserId};
///
/// fn follow<P: Protocol, T: Transport, H: Host>(
///     grid: &mut Grid,
///     server: &mut Server<P, T, H>,
///     avatars: &[(UserId, NetEntity, [f32; 2])],
/// ) {
///     for (user, avatar, [x, y]) in avatars {
///         grid.place(server, *avatar, *x, *y);
///         grid.look(server, *user, *x, *y);
///     }
/// }
///
/// // Cells of 50 m; who looks at one sees two around it: 100 to 150 m in each direction.
/// let grid = Grid::new(50.0, 2);
/// # let _ = grid;
/// ```
pub struct Grid {
    cell: f32,
    radius: i32,
    cells: BTreeMap<Cell, RoomId>,
    entities: BTreeMap<NetEntity, Cell>,
    users: BTreeMap<UserId, Look>,
    /// How many entities and users need a cell.
    holds: BTreeMap<Cell, usize>,
}

/// Where a user looks, and the cells that it sees.
struct Look {
    at: Cell,
    cells: BTreeSet<Cell>,
}

type Cell = (i32, i32);

/// A user that comes back after it has crossed a border sees what it saw before: it goes so many cells further until what is
/// behind it is gone.
const LINGER: i32 = 1;

impl Grid {
    /// Cells of so many units of length; users see so many around theirs, from 0 to 16.
    ///
    /// Cells of about half the distance that users should see, with a radius of 2, are a good beginning.
    #[must_use]
    pub fn new(cell: f32, radius: u8) -> Self {
        Self {
            cell: if cell.is_finite() && cell > 0.0 { cell } else { 1.0 },
            radius: i32::from(radius.min(16)),
            cells: BTreeMap::new(),
            entities: BTreeMap::new(),
            users: BTreeMap::new(),
            holds: BTreeMap::new(),
        }
    }

    /// An entity is there now. `false` where it is gone.
    pub fn place<P: Protocol, T: Transport, H: Host>(
        &mut self,
        server: &mut Server<P, T, H>,
        entity: NetEntity,
        x: f32,
        y: f32,
    ) -> bool {
        let cell = self.cell_of(x, y);
        let before = self.entities.get(&entity).copied();
        if before == Some(cell) {
            return true;
        }
        // Into the new one first, so that it is in sight of those who see both all the time.
        let room = self.hold(server, cell);
        let is_there = server.room_mut(room).add_entity(entity) || server.room_mut(room).has_entity(entity);
        if let Some(before) = before {
            self.let_entity_go(server, entity, before);
        }
        if is_there {
            self.entities.insert(entity, cell);
        } else {
            self.entities.remove(&entity);
            self.release(server, cell);
        }
        is_there
    }

    /// An entity is nowhere any more. One that was despawned should be taken out too: its cell is kept until then.
    pub fn remove<P: Protocol, T: Transport, H: Host>(
        &mut self,
        server: &mut Server<P, T, H>,
        entity: NetEntity,
    ) {
        if let Some(cell) = self.entities.remove(&entity) {
            self.let_entity_go(server, entity, cell);
        }
    }

    /// A user looks at a place from now on. `false` where it is gone.
    pub fn look<P: Protocol, T: Transport, H: Host>(
        &mut self,
        server: &mut Server<P, T, H>,
        user: UserId,
        x: f32,
        y: f32,
    ) -> bool {
        if server.user(user).is_none() {
            self.leave(server, user);
            return false;
        }
        let at = self.cell_of(x, y);
        let mut look = match self.users.remove(&user) {
            Some(look) if look.at == at => {
                self.users.insert(user, look);
                return true;
            }
            Some(look) => look,
            None => Look { at, cells: BTreeSet::new() },
        };
        for cell in self.around(at, self.radius) {
            if look.cells.insert(cell) {
                let room = self.hold(server, cell);
                server.room_mut(room).add_user(user);
            }
        }
        let kept = self.around(at, self.radius + LINGER);
        look.cells.retain(|cell| {
            let is_kept = kept.contains(cell);
            if !is_kept {
                self.let_user_go(server, user, *cell);
            }
            is_kept
        });
        look.at = at;
        self.users.insert(user, look);
        true
    }

    /// A user looks at nothing any more. One that has disconnected should leave too: its cells are kept until then.
    pub fn leave<P: Protocol, T: Transport, H: Host>(&mut self, server: &mut Server<P, T, H>, user: UserId) {
        let Some(look) = self.users.remove(&user) else { return };
        for cell in look.cells {
            self.let_user_go(server, user, cell);
        }
    }

    /// How many cells there are in which somebody or something is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether nobody and nothing is anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The room of a cell, that somebody needs once more.
    fn hold<P: Protocol, T: Transport, H: Host>(
        &mut self,
        server: &mut Server<P, T, H>,
        cell: Cell,
    ) -> RoomId {
        *self.holds.entry(cell).or_default() += 1;
        *self.cells.entry(cell).or_insert_with(|| server.create_room())
    }

    fn let_entity_go<P: Protocol, T: Transport, H: Host>(
        &mut self,
        server: &mut Server<P, T, H>,
        entity: NetEntity,
        cell: Cell,
    ) {
        if let Some(room) = self.cells.get(&cell) {
            server.room_mut(*room).remove_entity(entity);
        }
        self.release(server, cell);
    }

    fn let_user_go<P: Protocol, T: Transport, H: Host>(
        &mut self,
        server: &mut Server<P, T, H>,
        user: UserId,
        cell: Cell,
    ) {
        if let Some(room) = self.cells.get(&cell) {
            server.room_mut(*room).remove_user(user);
        }
        self.release(server, cell);
    }

    /// Somebody less needs a cell.
    fn release<P: Protocol, T: Transport, H: Host>(&mut self, server: &mut Server<P, T, H>, cell: Cell) {
        let Some(holds) = self.holds.get_mut(&cell) else { return };
        *holds -= 1;
        if *holds == 0 {
            self.holds.remove(&cell);
            if let Some(room) = self.cells.remove(&cell) {
                server.destroy_room(room);
            }
        }
    }

    fn cell_of(&self, x: f32, y: f32) -> Cell {
        // Saturating, and zero for what is no number.
        ((x / self.cell).floor() as i32, (y / self.cell).floor() as i32)
    }

    fn around(&self, (x, y): Cell, radius: i32) -> BTreeSet<Cell> {
        let reach = |at: i32| at.saturating_sub(radius)..=at.saturating_add(radius);
        reach(x).flat_map(|x| reach(y).map(move |y| (x, y))).collect()
    }
}

impl fmt::Debug for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grid")
            .field("cells", &self.cells.len())
            .field("entities", &self.entities.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
