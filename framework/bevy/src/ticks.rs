//! Turns and ticks of the network in the schedules of Bevy, for a server and for a client.

use std::time::Duration;

use bevy_app::{App, FixedMain, PostUpdate, PreUpdate, RunFixedMainLoop, RunFixedMainLoopSystems, Update};
use bevy_ecs::intern::Interned;
use bevy_ecs::prelude::{IntoScheduleConfigs as _, SystemSet, World};
use bevy_ecs::schedule::ScheduleLabel;
use bevy_time::{Fixed, Time, Virtual};
use bowline::Protocol;

/// The sets of a turn.
pub(crate) struct TurnOrder<S> {
    pub(crate) receive: S,
    pub(crate) world_events: S,
    pub(crate) tick_events: S,
    pub(crate) update: S,
    pub(crate) send: S,
}

impl<S: SystemSet> TurnOrder<S> {
    /// Puts them where they belong.
    pub(crate) fn prepare(self, app: &mut App) {
        let before_the_steps = RunFixedMainLoopSystems::BeforeFixedMainLoop;
        app.configure_sets(PreUpdate, (self.receive, self.world_events).chain())
            .configure_sets(RunFixedMainLoop, self.tick_events.in_set(before_the_steps))
            .configure_sets(Update, self.update)
            .configure_sets(PostUpdate, self.send);
    }
}

/// How long a tick is.
pub(crate) fn interval<P: Protocol>() -> Duration {
    Duration::from_secs(1) / u32::from(P::TICK_RATE.max(1))
}

/// Which schedule runs once for each tick.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickSchedule {
    label: Interned<dyn ScheduleLabel>,
    is_fixed_main: bool,
}

impl TickSchedule {
    pub(crate) fn new(label: impl ScheduleLabel) -> Self {
        let label = label.intern();
        Self { label, is_fixed_main: label == FixedMain.intern() }
    }

    /// Before the first tick.
    pub(crate) fn prepare(self, app: &mut App, interval: Duration) {
        app.init_schedule(self.label);
        if self.is_fixed_main {
            // Bevy counts no fixed steps of its own then: the ticks are the steps.
            app.insert_resource(Time::<Fixed>::from_duration(interval));
            app.configure_sets(RunFixedMainLoop, RunFixedMainLoopSystems::FixedMainLoop.run_if(|| false));
        }
    }

    /// A tick: the schedule runs. In the fixed schedules `Time` is that of the ticks.
    pub(crate) fn run(self, world: &mut World, interval: Duration) {
        if self.is_fixed_main
            && let Some(mut fixed) = world.get_resource_mut::<Time<Fixed>>()
        {
            fixed.advance_by(interval);
            let fixed = fixed.as_generic();
            world.insert_resource::<Time>(fixed);
        }
        // There always is one: `prepare` has made it.
        let _ = world.try_run_schedule(self.label);
        if self.is_fixed_main
            && let Some(time) = world.get_resource::<Time<Virtual>>()
        {
            let time = time.as_generic();
            world.insert_resource::<Time>(time);
        }
    }
}
