/// Whose turn it is: the virtual time of each channel, in bits by weight.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    /// Where each channel's last entry ended.
    ends: Vec<f64>,
    /// Where the entry began that was served last: the present.
    present: f64,
}

impl Turns {
    pub(crate) fn new(channels: usize) -> Self {
        Self { ends: vec![0.0; channels], present: 0.0 }
    }

    /// Where the channel's next entry would begin. The least begins first.
    pub(crate) fn start(&self, channel: usize) -> f64 {
        self.ends.get(channel).copied().unwrap_or(0.0).max(self.present)
    }

    /// An entry was served that began at `start`.
    pub(crate) fn served(&mut self, channel: usize, start: f64, cost: f64) {
        self.present = start;
        if let Some(end) = self.ends.get_mut(channel) {
            *end = start + cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves whoever's turn it is, with entries of 100 bits.
    fn serve(turns: &mut Turns, weights: &[f64], waiting: &[usize]) -> usize {
        let next =
            waiting.iter().min_by(|a, b| turns.start(**a).total_cmp(&turns.start(**b))).copied().unwrap();
        turns.served(next, turns.start(next), 100.0 / weights[next]);
        next
    }

    #[test]
    fn shares_follow_the_weights() {
        let (mut turns, weights) = (Turns::new(3), [1.0, 3.0, 6.0]);
        let mut served = [0; 3];
        for _ in 0..1_000 {
            served[serve(&mut turns, &weights, &[0, 1, 2])] += 1;
        }
        assert_eq!(served, [100, 300, 600]);
    }

    #[test]
    fn who_was_silent_is_next_but_has_saved_nothing_up() {
        let (mut turns, weights) = (Turns::new(2), [1.0, 1.0]);
        for _ in 0..100 {
            serve(&mut turns, &weights, &[0]);
        }
        let order: Vec<usize> = (0..6).map(|_| serve(&mut turns, &weights, &[0, 1])).collect();
        assert!(order[..2].contains(&1), "{order:?}");
        assert_eq!(order.iter().filter(|channel| **channel == 1).count(), 3, "{order:?}");
    }
}
