//! How the Bevy messages of this crate are declared.

/// Declares messages with public fields, a constructor for this crate and `Debug`, whatever their tag.
macro_rules! messages {
    ($default:ty; $(
        $(#[$doc:meta])*
        $name:ident $(<$item:ident>)? { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }
    )*) => {$(
        $(#[$doc])*
        #[derive(bevy_ecs::prelude::Message)]
        #[non_exhaustive]
        pub struct $name<$($item: Send + Sync + 'static,)? T: $crate::Tag = $default> {
            $($(#[$field_doc])* pub $field: $type,)*
            tag: std::marker::PhantomData<fn() -> T>,
        }

        impl<$($item: Send + Sync + 'static,)? T: $crate::Tag> $name<$($item,)? T> {
            pub(crate) const fn new($($field: $type),*) -> Self {
                Self { $($field,)* tag: std::marker::PhantomData }
            }
        }

        impl<$($item: std::fmt::Debug + Send + Sync + 'static,)? T: $crate::Tag> std::fmt::Debug
            for $name<$($item,)? T>
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*.finish()
            }
        }
    )*};
}

pub(crate) use messages;
