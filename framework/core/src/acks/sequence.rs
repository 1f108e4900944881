/// The full number nearest to `near` whose lowest 16 bits are `short`, as QUIC recovers packet numbers
/// (RFC 9000, appendix A.3). `None` where that would be below zero or beyond 64 bits.
///
/// Numbers travel with 16 bits and live with 64, so none of them ever wraps in a comparison.
pub(crate) const fn expand(short: u16, near: u64) -> Option<u64> {
    let distance = short.wrapping_sub(near as u16) as i16;
    near.checked_add_signed(distance as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn c2_numbers_near_each_other_are_recovered(near in 40_000_u64..u64::MAX - 40_000, distance in -32_768_i64..32_768) {
            let number = near.checked_add_signed(distance).unwrap();
            prop_assert_eq!(expand(number as u16, near), Some(number));
        }
    }

    #[test]
    fn nothing_is_below_zero() {
        assert_eq!(expand(0xffff, 3), None);
        assert_eq!(expand(3, 0), Some(3));
    }
}
