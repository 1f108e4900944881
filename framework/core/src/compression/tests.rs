use proptest::prelude::*;

use super::*;
use crate::{Entropy, SeededEntropy};

const SECURITY: Security = Security::NONE;
const HEAD: usize = CompressedPacket::MAX_HEAD;

/// A data packet with this body; its ack bits take no room.
fn packet(body: &[u8]) -> Vec<u8> {
    [[0b1110_0000].as_slice(), &[7; HEAD - 1], body].concat()
}

/// A compressed packet with this block.
fn compressed(block: &[u8]) -> Vec<u8> {
    [[0b1100_1000].as_slice(), &[7; HEAD - 1], block].concat()
}

/// What a compressed packet stands for.
fn restored(compression: &Compression, packet: &[u8]) -> Option<Vec<u8>> {
    let packet = CompressedPacket::decode(packet, SECURITY).ok()?;
    let restored = compression.restore(&packet)?;
    let bytes = restored.bytes().to_vec();
    compression.recycle(restored);
    Some(bytes)
}

/// What a chat looks like: words of a few, and some noise.
fn words(random: &mut SeededEntropy, count: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = ["north ", "enemy ", "help ", "gold ", "retreat ", "castle ", "now ", "wait "];
    let mut text = Vec::new();
    for _ in 0..count {
        let number = random.next_u64();
        text.extend_from_slice(WORDS[number as usize % WORDS.len()].as_bytes());
        if number >> 60 == 0 {
            text.extend_from_slice(&number.to_le_bytes());
        }
    }
    text
}

fn dictionary() -> Vec<u8> {
    let mut random = SeededEntropy::new(1);
    train_dictionary((0..2_000).map(|_| words(&mut random, 12)), 4 << 10).unwrap()
}

#[test]
fn what_is_compressed_comes_back_at_every_size_and_level() {
    let mut random = SeededEntropy::new(2);
    for level in [1, 3, 9, 19] {
        let plain = Compression::new(level);
        let trained = Compression::with_dictionary(&dictionary(), level).unwrap();
        for compression in [plain, trained] {
            let mut saved = 0;
            for count in [0, 1, 2, 5, 20, 100, 200, 250, 300, 900] {
                let whole = packet(&words(&mut random, count));
                let mut smaller = whole.clone();
                let won = compression.compress(&mut smaller, SECURITY);
                assert_eq!(won, whole.len() - smaller.len());
                saved += won;
                if won == 0 {
                    assert_eq!(smaller, whole);
                } else {
                    assert_eq!(restored(&compression, &smaller), Some(whole));
                }
            }
            assert!(saved > 1_500, "{compression:?} saved {saved}");
        }
    }
}

#[test]
fn a_dictionary_helps_where_packets_are_small() {
    let mut random = SeededEntropy::new(3);
    let trained = Compression::with_dictionary(&dictionary(), 3).unwrap();
    let plain = Compression::new(3);
    let (mut with, mut without, mut whole) = (0, 0, 0);
    for _ in 0..200 {
        let body = words(&mut random, 12);
        whole += body.len();
        with += body.len() - trained.compress(&mut packet(&body), SECURITY);
        without += body.len() - plain.compress(&mut packet(&body), SECURITY);
    }
    println!("{whole} bytes are {without}, with a dictionary {with}");
    assert!(with * 2 < without, "{with} of {without}");
    assert!(without <= whole);
}

#[test]
fn the_same_payloads_give_the_same_dictionary_and_the_same_id() {
    let (one, other) = (dictionary(), dictionary());
    assert_eq!(one, other);
    let with = |bytes: &[u8], level| Compression::with_dictionary(bytes, level).unwrap();
    assert_eq!(with(&one, 3).id(), with(&other, 19).id());
    assert_ne!(with(&one, 3).id(), Compression::new(3).id());
    assert_ne!(with(&one, 3).id(), with(&one[..one.len() - 1], 3).id());
    assert_ne!(with(&one, 3), with(&other, 4));
}

#[test]
fn too_little_trains_no_dictionary() {
    let nothing: [&[u8]; 0] = [];
    assert_eq!(train_dictionary(nothing, 4_096), Err(TrainError::TooLittle { payloads: 0, bytes: 0 }));
    assert!(train_dictionary([[1, 2, 3]], 0).is_err());
}

#[test]
fn a_damaged_dictionary_is_refused() {
    let good = dictionary();
    assert_eq!(Compression::with_dictionary(&[], 3), Err(DictionaryError));
    assert_eq!(Compression::with_dictionary(&good[..7], 3), Err(DictionaryError));
    assert_eq!(Compression::with_dictionary(&good[..20], 3), Err(DictionaryError));
    // Anything else is used or refused, and what is used works.
    for bit in 0..200 * 8 {
        let mut damaged = good.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(compression) = Compression::with_dictionary(&damaged, 3) {
            let whole = packet(&b"enemy north, help now ".repeat(8));
            let mut smaller = whole.clone();
            if compression.compress(&mut smaller, SECURITY) > 0 {
                assert_eq!(restored(&compression, &smaller), Some(whole), "bit {bit}");
            }
        }
    }
}

#[test]
fn threads_may_share_it() {
    let compression = Compression::with_dictionary(&dictionary(), 3).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let compression = &compression;
            scope.spawn(move || {
                let mut random = SeededEntropy::new(seed);
                for _ in 0..500 {
                    let whole = packet(&words(&mut random, 40));
                    let mut smaller = whole.clone();
                    assert!(compression.compress(&mut smaller, SECURITY) > 0);
                    assert_eq!(restored(compression, &smaller), Some(whole));
                }
            });
        }
    });
}

/// A block that stands for so many zeros: literals in their repeated form, and no sequences (RFC 8878 section 3.1.1.3).
fn bomb(len: u32) -> Vec<u8> {
    let [a, b, c, _] = (0b1101 | len << 4).to_le_bytes();
    vec![a, b, c, 0, 0]
}

#[test]
fn a_bomb_is_worth_a_few_kilobytes_at_most() {
    let compression = Compression::new(3);
    let memory = compression.memory();
    let zeros = restored(&compression, &compressed(&bomb(MAX_BODY as u32))).unwrap();
    assert_eq!(zeros.len(), HEAD + MAX_BODY);
    for len in [MAX_BODY as u32 + 1, 5_000, 65_536, 128 << 10, (1 << 20) - 1] {
        assert_eq!(restored(&compression, &compressed(&bomb(len))), None, "{len}");
    }
    // A block may be as large as a datagram can be.
    assert_eq!(restored(&compression, &compressed(&vec![0; 65_000])), None);
    assert_eq!(compression.memory(), memory);
}

#[test]
fn the_memory_stays_that_of_the_first_large_packet() {
    for compression in [1, 3, 9, 19].map(|level| Compression::with_dictionary(&dictionary(), level).unwrap())
    {
        let mut random = SeededEntropy::new(4);
        let mut use_it = |count| {
            let mut smaller = packet(&words(&mut random, count));
            if compression.compress(&mut smaller, SECURITY) > 0 {
                restored(&compression, &smaller).unwrap();
            }
            compression.memory()
        };
        let first = use_it(20);
        println!("{first} bytes at level {}", compression.level());
        assert!(first < 2 << 20, "{first}");
        for turn in 0..2_000 {
            assert_eq!(use_it(if turn < 1_000 { turn % 15 } else { turn % 300 }), first);
        }
    }
}

#[test]
fn b4_a_compressed_packet_cut_or_flipped_anywhere_is_refused_or_bounded() {
    let mut random = SeededEntropy::new(5);
    for compression in [Compression::new(3), Compression::with_dictionary(&dictionary(), 3).unwrap()] {
        let whole = packet(&words(&mut random, 60));
        let mut smaller = whole.clone();
        assert!(compression.compress(&mut smaller, SECURITY) > 0);
        for cut in 0..smaller.len() {
            assert_ne!(restored(&compression, &smaller[..cut]).as_ref(), Some(&whole), "cut at {cut}");
        }
        for bit in 0..smaller.len() * 8 {
            let mut flipped = smaller.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Some(bytes) = restored(&compression, &flipped) {
                assert!(bytes.len() <= Restored::CAPACITY);
            }
        }
        // And then it still does what it should.
        assert_eq!(restored(&compression, &smaller), Some(whole));
    }
}

proptest! {
    #[test]
    fn b3_any_bytes_are_no_block_or_a_bounded_one(block in prop::collection::vec(any::<u8>(), 0..400), form in 0_u8..4) {
        let compression = Compression::new(1);
        let mut packet = compressed(&block);
        if form > 0 {
            packet[0] |= 0b100;
            packet.insert(HEAD, form);
        }
        if let Some(bytes) = restored(&compression, &packet) {
            prop_assert!(bytes.len() <= Restored::CAPACITY);
        }
    }
}
