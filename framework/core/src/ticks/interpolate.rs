/// What has values between two values: a position, not a name.
///
/// ```
/// use bowline_core::Interpolate;
///
/// struct Position {
///     x: f32,
///     y: f32,
/// }
///
/// impl Interpolate for Position {
///     fn interpolate(&self, to: &Self, part: f32) -> Self {
///         Self { x: self.x.interpolate(&to.x, part), y: self.y.interpolate(&to.y, part) }
///     }
/// }
///
/// let half_way = Position { x: 0.0, y: 4.0 }.interpolate(&Position { x: 1.0, y: 4.0 }, 0.5);
/// assert_eq!((half_way.x, half_way.y), (0.5, 4.0));
/// ```
pub trait Interpolate {
    /// The value a part of the way from this one to another: this one where the part is 0, the other where it is 1. What jumps,
    /// through a portal say, gives one of the two.
    #[must_use]
    fn interpolate(&self, to: &Self, part: f32) -> Self;
}

impl Interpolate for f32 {
    #[inline]
    fn interpolate(&self, to: &Self, part: f32) -> Self {
        self + (to - self) * part
    }
}

impl Interpolate for f64 {
    #[inline]
    fn interpolate(&self, to: &Self, part: f32) -> Self {
        self + (to - self) * Self::from(part)
    }
}

impl<T: Interpolate, const N: usize> Interpolate for [T; N] {
    #[inline]
    fn interpolate(&self, to: &Self, part: f32) -> Self {
        let mut others = to.iter();
        // There are as many of both.
        self.each_ref().map(|from| from.interpolate(others.next().unwrap_or(from), part))
    }
}

macro_rules! tuples {
    ($(($($item:ident $at:tt),+))*) => {$(
        impl<$($item: Interpolate),+> Interpolate for ($($item,)+) {
            #[inline]
            fn interpolate(&self, to: &Self, part: f32) -> Self {
                ($(self.$at.interpolate(&to.$at, part),)+)
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}

#[cfg(feature = "glam")]
mod glam {
    use glam::{DQuat, DVec2, DVec3, DVec4, Quat, Vec2, Vec3, Vec3A, Vec4};

    use super::Interpolate;

    macro_rules! vectors {
        ($($vector:ty)*) => {$(
            impl Interpolate for $vector {
                #[inline]
                fn interpolate(&self, to: &Self, part: f32) -> Self {
                    self.lerp(*to, part.into())
                }
            }
        )*};
    }

    vectors! { Vec2 Vec3 Vec3A Vec4 DVec2 DVec3 DVec4 }

    /// Along the shorter arc.
    impl Interpolate for Quat {
        #[inline]
        fn interpolate(&self, to: &Self, part: f32) -> Self {
            self.slerp(*to, part)
        }
    }

    /// Along the shorter arc.
    impl Interpolate for DQuat {
        #[inline]
        fn interpolate(&self, to: &Self, part: f32) -> Self {
            self.slerp(*to, part.into())
        }
    }
}
