//! A protocol of two hundred items, each as large as items get: the identity is computed at compile time, and the
//! compiler stops a constant that takes too long (`long_running_const_eval`).

use bowline::prelude::*;

use crate::comes_back;
use crate::entities::{Numbers, items};

macro_rules! long {
    ($($item:ident)*) => {
        $(
            #[derive(Replicate, Clone, Debug, Default, PartialEq)]
            struct $item {
                #[wire(range = -4096.0..=4096.0, step = 0.01)]
                position_in_the_world: [f32; 3],
                #[wire(range = -4096.0..=4096.0, step = 0.01)]
                velocity_in_the_world: [f32; 3],
                #[wire(range = -1.0..=1.0, step = 0.001)]
                orientation_as_quaternion: [f32; 4],
                #[wire(range = 0..=10_000)]
                remaining_hit_points: u32,
                #[wire(range = 0..=10_000)]
                remaining_ammunition: u32,
                #[wire(max_len = 256)]
                name_above_the_head: String,
                #[wire(max_len = 64)]
                inventory_of_the_player: Vec<(u16, Option<String>)>,
                #[wire(bits = 12)]
                animation_that_is_playing: u16,
                team_of_the_player: Option<u8>,
                target_of_the_player: Option<(u32, [f32; 3])>,
            }
        )*

        #[derive(Protocol)]
        #[protocol(tick_rate = 60, components($($item),*), derive(Clone, Debug, PartialEq))]
        struct Long;
    };
}

long! {
    I000 I001 I002 I003 I004 I005 I006 I007 I008 I009 I010 I011 I012 I013 I014 I015 I016 I017 I018 I019
    I020 I021 I022 I023 I024 I025 I026 I027 I028 I029 I030 I031 I032 I033 I034 I035 I036 I037 I038 I039
    I040 I041 I042 I043 I044 I045 I046 I047 I048 I049 I050 I051 I052 I053 I054 I055 I056 I057 I058 I059
    I060 I061 I062 I063 I064 I065 I066 I067 I068 I069 I070 I071 I072 I073 I074 I075 I076 I077 I078 I079
    I080 I081 I082 I083 I084 I085 I086 I087 I088 I089 I090 I091 I092 I093 I094 I095 I096 I097 I098 I099
    I100 I101 I102 I103 I104 I105 I106 I107 I108 I109 I110 I111 I112 I113 I114 I115 I116 I117 I118 I119
    I120 I121 I122 I123 I124 I125 I126 I127 I128 I129 I130 I131 I132 I133 I134 I135 I136 I137 I138 I139
    I140 I141 I142 I143 I144 I145 I146 I147 I148 I149 I150 I151 I152 I153 I154 I155 I156 I157 I158 I159
    I160 I161 I162 I163 I164 I165 I166 I167 I168 I169 I170 I171 I172 I173 I174 I175 I176 I177 I178 I179
    I180 I181 I182 I183 I184 I185 I186 I187 I188 I189 I190 I191 I192 I193 I194 I195 I196 I197 I198 I199
}

const ID: ProtocolId = Long::ID;

#[test]
fn two_hundred_items_have_a_constant_identity() {
    assert_eq!(ID, ProtocolId::from_bits(ID.to_bits()));
    assert_eq!(Long::SCHEMA.components.len(), 200);
    let last = LongComponent::I199(I199::default());
    assert_eq!(comes_back(&last), LongComponent::MIN_BITS);
}

#[test]
fn two_hundred_items_have_a_place_each() {
    let mut all = <Long as Protocol>::Components::<Numbers>::default();
    *I000::of_mut::<Numbers>(&mut all) = 7;
    *I199::of_mut::<Numbers>(&mut all) = 8;
    assert_eq!(
        (*I000::of::<Numbers>(&all), *I198::of::<Numbers>(&all), *I199::of::<Numbers>(&all)),
        (7, 0, 8)
    );
    assert_eq!((items::<Long>().len(), items::<Long>().pop()), (200, Some("component 199 I199 I199".into())));
}
