//! Functions that are compiled twice: for any machine, and for those that handle twice as many pixels at once.

/// Defines functions each of which does its work with the widest instructions that the machine knows.
///
/// They are small, of one kernel each, for the compiler's sake. Whatever they call with loops of its own is
/// `#[inline(always)]`, so that it is compiled anew for the wider instructions. The numbers are the same, since nothing
/// is summed in another order and nothing is contracted.
macro_rules! widest {
    ($(
        $(#[$about:meta])*
        $seen:vis fn $name:ident $(<$kind:ident: $bound:ident $(, $other:ident: $also:ident)?>)?(
            $($argument:ident: $type:ty),* $(,)?
        ) $(-> $result:ty)? $body:block
    )+) => {$(
        $(#[$about])*
        $seen fn $name $(<$kind: $bound $(, $other: $also)?>)? ($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn plain $(<$kind: $bound $(, $other: $also)?>)? ($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn wide $(<$kind: $bound $(, $other: $also)?>)? ($($argument: $type),*) $(-> $result)? {
                plain $(::<$kind $(, $other)?>)? ($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the machine has just said that it knows these instructions.
                return unsafe { wide $(::<$kind $(, $other)?>)? ($($argument),*) };
            }
            plain $(::<$kind $(, $other)?>)? ($($argument),*)
        }
    )+};
}

pub(super) use widest;
