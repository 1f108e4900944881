//! The life of a connection over real sockets on loopback, over each transport. What random networks do to it, the simulator
//! shows.
//!
//! Time-outs are short where a test waits for one, and as they come elsewhere, so that a machine that is busy makes these tests slower
//! and not red: they ask whether something happens, and that it does not happen too early.

mod cases;
mod crowd;
mod flood;
mod nets;
mod world;

/// Every case, over one net.
macro_rules! lifecycle {
    ($module:ident, $net:ty) => {
        lifecycle! {
            @cases $module, $net;
            a1_connect_is_seen_once_on_each_side_and_in_order
            a2_a_client_that_is_refused_learns_why_and_leaves_nothing
            a2_a_ticket_that_is_dropped_refuses
            a2_a_ticket_is_good_many_ticks_later
            a2_a_ticket_that_is_kept_too_long_refuses
            a3_both_sides_name_what_differs
            a4_where_nobody_answers_the_attempt_ends_and_can_be_made_again
            a5_a_client_that_vanishes_times_out
            a5_a_server_that_stands_still_times_out
            a5_a_server_that_vanishes_is_noticed
            a6_idle_but_alive_there_are_heartbeats_and_nothing_else
            a7_each_end_has_its_own_reason_on_each_side
            a8_after_each_end_comes_a_fresh_session
        }
    };
    (@cases $module:ident, $net:ty; $($case:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $case() {
                    crate::cases::$case::<$net>();
                }
            )+
        }
    };
}

lifecycle!(udp, crate::nets::Udp);
lifecycle!(webrtc, crate::nets::Webrtc);
lifecycle!(udp_on_the_port_of_webrtc, crate::nets::SharedPort);
