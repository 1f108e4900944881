//! `glam` vectors, component by component, and unit quaternions by their smallest three components.

use glam::{
    DQuat, DVec2, DVec3, DVec4, IVec2, IVec3, IVec4, Quat, UVec2, UVec3, UVec4, Vec2, Vec3, Vec3A, Vec4,
};

use crate::{
    BitReader, BitWriter, DecodeError, EncodeError, EncodeErrorKind, FixedBits, Quantize, Quantizer, Schema,
    Wire,
};

/// Bits of each of the three components of a quaternion that has no `#[wire(bits = ..)]`: an error of at most
/// 0.004 degrees in 47 bits.
const DEFAULT_ROTATION_BITS: u32 = 15;

macro_rules! vectors {
    ($($vector:ty: [$scalar:ty; $n:literal]),* $(,)?) => {$(
        impl Wire for $vector {
            const SCHEMA: Schema = <[$scalar; $n]>::SCHEMA;
            const MIN_BITS: usize = <[$scalar; $n]>::MIN_BITS;

            #[inline]
            fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
                self.to_array().encode(writer)
            }

            #[inline]
            fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                <[$scalar; $n]>::decode(reader).map(Self::from_array)
            }
        }
    )*};
}

macro_rules! quantized_vectors {
    ($($vector:ty: [$scalar:ty; $n:literal]),* $(,)?) => {$(
        impl Quantize for $vector {
            const COMPONENTS: usize = $n;
            const PRECISION_BITS: u32 = <$scalar>::PRECISION_BITS;

            #[inline]
            fn encode_quantized(&self, quantizer: &Quantizer, writer: &mut BitWriter) -> Result<(), EncodeError> {
                self.to_array().encode_quantized(quantizer, writer)
            }

            #[inline]
            fn decode_quantized(quantizer: &Quantizer, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                <[$scalar; $n]>::decode_quantized(quantizer, reader).map(Self::from_array)
            }
        }
    )*};
}

vectors!(
    Vec2: [f32; 2], Vec3: [f32; 3], Vec3A: [f32; 3], Vec4: [f32; 4],
    DVec2: [f64; 2], DVec3: [f64; 3], DVec4: [f64; 4],
    IVec2: [i32; 2], IVec3: [i32; 3], IVec4: [i32; 4], UVec2: [u32; 2], UVec3: [u32; 3], UVec4: [u32; 4],
);
quantized_vectors!(
    Vec2: [f32; 2], Vec3: [f32; 3], Vec3A: [f32; 3], Vec4: [f32; 4],
    DVec2: [f64; 2], DVec3: [f64; 3], DVec4: [f64; 4],
);

/// The smallest-three form (Glenn Fiedler, *Snapshot Compression*, 2015): a unit quaternion and its negative are
/// one rotation, so the largest component can be made positive and left out; it follows from the other three,
/// none of which is beyond 1/√2.
fn encode_rotation(components: [f64; 4], bits: u32, writer: &mut BitWriter) -> Result<(), EncodeError> {
    if components.iter().any(|c| c.is_nan()) {
        return Err(EncodeError::new(EncodeErrorKind::NotANumber));
    }
    let mut largest = (0_usize, 0.0_f64);
    for (index, component) in components.into_iter().enumerate() {
        if component.abs() > largest.1.abs() {
            largest = (index, component);
        }
    }
    let sign = if largest.1 < 0.0 { -1.0 } else { 1.0 };
    writer.write_bits(largest.0 as u64, 2);
    for (index, component) in components.into_iter().enumerate() {
        if index != largest.0 {
            let unit = (component * sign / core::f64::consts::FRAC_1_SQRT_2).clamp(-1.0, 1.0);
            // An odd number of values, so that zero is one of them: no rotation stays no rotation.
            writer.write_bits(((unit + 1.0) / 2.0 * highest(bits) as f64 + 0.5) as u64, bits);
        }
    }
    Ok(())
}

fn decode_rotation(bits: u32, reader: &mut BitReader<'_>) -> Result<[f64; 4], DecodeError> {
    let largest = reader.read_bits(2)? as usize;
    let mut components = [0.0; 4];
    let mut squares = 0.0;
    for (index, component) in components.iter_mut().enumerate() {
        if index == largest {
            continue;
        }
        let number = reader.read_bits(bits)?;
        if number > highest(bits) {
            return Err(DecodeError::OutOfRange);
        }
        let unit = number as f64 / highest(bits) as f64 * 2.0 - 1.0;
        *component = unit * core::f64::consts::FRAC_1_SQRT_2;
        squares += *component * *component;
    }
    if squares > 1.0 {
        return Err(DecodeError::OutOfRange);
    }
    if let Some(component) = components.get_mut(largest) {
        *component = (1.0 - squares).sqrt();
    }
    Ok(components)
}

/// The greatest number of a component: even, so that the middle is zero.
fn highest(bits: u32) -> u64 {
    crate::reader::low_mask(bits).saturating_sub(1)
}

macro_rules! rotations {
    ($($quat:ty: $scalar:ty),* $(,)?) => {$(
        /// The smallest three components. Different bits may stand for nearly the same rotation, so this is the
        /// one type whose encoding is checked but not canonical.
        impl Wire for $quat {
            const SCHEMA: Schema = Schema::Rotation(DEFAULT_ROTATION_BITS);
            const MIN_BITS: usize = 2 + 3 * DEFAULT_ROTATION_BITS as usize;

            fn encode(&self, writer: &mut BitWriter) -> Result<(), EncodeError> {
                self.encode_bits(DEFAULT_ROTATION_BITS, writer)
            }

            fn decode(reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                Self::decode_bits(DEFAULT_ROTATION_BITS, reader)
            }
        }

        impl FixedBits for $quat {
            const COMPONENTS: usize = 3;

            fn encode_bits(&self, bits: u32, writer: &mut BitWriter) -> Result<(), EncodeError> {
                encode_rotation(self.to_array().map(f64::from), bits, writer)
            }

            fn decode_bits(bits: u32, reader: &mut BitReader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_array(decode_rotation(bits, reader)?.map(|c| c as $scalar)))
            }
        }
    )*};
}

rotations!(Quat: f32, DQuat: f64);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through(rotation: Quat, bits: u32) -> Quat {
        let mut writer = BitWriter::new();
        rotation.encode_bits(bits, &mut writer).unwrap();
        assert_eq!(writer.bit_len(), 2 + 3 * bits as usize);
        let bytes = writer.into_bytes();
        Quat::decode_bits(bits, &mut BitReader::new(&bytes)).unwrap()
    }

    proptest! {
        #[test]
        fn rotations_come_back_within_their_precision(x in -1.0_f32..1.0, y in -1.0_f32..1.0, z in -1.0_f32..1.0, w in -1.0_f32..1.0) {
            prop_assume!(x * x + y * y + z * z + w * w > 0.01);
            let rotation = Quat::from_xyzw(x, y, z, w).normalize();
            for (bits, degrees) in [(9, 0.5), (15, 0.01)] {
                let back = through(rotation, bits);
                let angle = 2.0 * f64::from(rotation.dot(back).abs()).min(1.0).acos().to_degrees();
                prop_assert!(angle <= degrees + 0.06, "{rotation:?} came back as {back:?}, {angle} degrees off");
            }
        }
    }

    #[test]
    fn no_rotation_stays_no_rotation() {
        assert_eq!(through(Quat::IDENTITY, 10), Quat::IDENTITY);
    }

    #[test]
    fn components_that_no_rotation_has_are_refused() {
        let mut writer = BitWriter::new();
        writer.write_bits(0, 2);
        for _ in 0..3 {
            writer.write_bits(highest(10), 10);
        }
        let bytes = writer.into_bytes();
        assert_eq!(Quat::decode_bits(10, &mut BitReader::new(&bytes)), Err(DecodeError::OutOfRange));
    }

    #[test]
    fn vectors_quantize_by_component() {
        const METRES: Quantizer = Quantizer::new::<Vec3>(-10.0, 10.0, 0.5);
        let mut writer = BitWriter::new();
        Vec3::new(1.1, -2.2, 99.0).encode_quantized(&METRES, &mut writer).unwrap();
        assert_eq!(writer.bit_len(), 3 * 6);
        let bytes = writer.into_bytes();
        let back = Vec3::decode_quantized(&METRES, &mut BitReader::new(&bytes)).unwrap();
        assert_eq!(back, Vec3::new(1.0, -2.0, 10.0));
    }
}
