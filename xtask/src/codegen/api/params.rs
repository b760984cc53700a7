//! The Rust types of the parameters of a request. Each parameter is an argument of a method and a
//! field of the request.

use crate::{
    spec::{Op, PagingBy},
    ty::{Ty, URI_GROUPS},
};

/// The fields of a request that the spec does not list: market and paging.
pub(super) fn implied(op: &Op) -> Vec<(&'static str, &'static str)> {
    let mut fields = Vec::new();
    if op.market {
        fields.push(("market", "Option<Market>"));
    }
    match op.paging.as_ref().map(|paging| paging.by) {
        Some(PagingBy::Offset | PagingBy::Search) => {
            fields.extend([("limit", "Option<u8>"), ("offset", "Option<u32>")])
        }
        Some(PagingBy::Cursor) => fields.push(("limit", "Option<u8>")),
        None => {}
    }
    fields
}

/// Whether the value is parsed from a string and may therefore be invalid.
pub(super) fn is_parsed(ty: &Ty) -> bool {
    match ty {
        Ty::Named(name) => ty.id().is_some() || URI_GROUPS.contains(&name.as_str()),
        Ty::List(inner) => is_parsed(inner),
        _ => false,
    }
}

/// The handwritten types with conversions from other types.
const CONVERTED: &[&str] = &["Fields", "PlaybackOffset", "SearchQuery"];

/// Whether other types can be converted into the type. For example, the caller can pass a `&str`
/// for a `String`. Strings cannot be converted into enums, because the compiler could not detect a
/// misspelt value.
fn is_converted(ty: &Ty) -> bool {
    match ty {
        Ty::Text => true,
        Ty::Named(name) => CONVERTED.contains(&name.as_str()),
        _ => false,
    }
}

/// The type of a setter's argument, and the expression that the setter stores. The argument may
/// also be an `Option`.
pub(super) fn optional_argument(ty: &Ty, name: &str) -> (String, String) {
    match ty {
        Ty::List(_) if !is_parsed(ty) => (argument(ty), stored_from(ty, name)),
        Ty::List(_) => (argument(ty), format!("Some({})", stored_from(ty, name))),
        ty if is_parsed(ty) => {
            (format!("impl OptionalId<{}>", ty.rust()), format!("{name}.into_optional_id()"))
        }
        ty if is_converted(ty) => {
            (format!("impl Optional<{}>", ty.rust()), format!("{name}.into_optional()"))
        }
        ty => (format!("impl Into<Option<{}>>", ty.rust()), format!("{name}.into()")),
    }
}

pub(super) fn argument(ty: &Ty) -> String {
    match ty {
        Ty::List(inner) if is_parsed(inner) => {
            format!("impl IntoIterator<Item = impl IntoId<{}>>", inner.rust())
        }
        Ty::List(inner) => match &**inner {
            Ty::Text => "impl IntoIterator<Item = impl Into<String>>".to_owned(),
            inner => format!("impl IntoIterator<Item = {}>", inner.rust()),
        },
        ty if is_parsed(ty) => format!("impl IntoId<{}>", ty.rust()),
        ty if is_converted(ty) => format!("impl Into<{}>", ty.rust()),
        ty => ty.rust(),
    }
}

pub(super) fn stored(ty: &Ty) -> String {
    if is_parsed(ty) { format!("Result<{}, ParseIdError>", ty.rust()) } else { ty.rust() }
}

pub(super) fn stored_from(ty: &Ty, name: &str) -> String {
    match ty {
        Ty::List(inner) if is_parsed(inner) => {
            format!("{name}.into_iter().map(IntoId::into_id).collect()")
        }
        Ty::List(inner) if **inner == Ty::Text => {
            format!("{name}.into_iter().map(Into::into).collect()")
        }
        Ty::List(_) => format!("{name}.into_iter().collect()"),
        ty if is_parsed(ty) => format!("{name}.into_id()"),
        ty if is_converted(ty) => format!("{name}.into()"),
        _ => name.to_owned(),
    }
}

/// Whether a value is passed by copy.
pub(super) fn is_copied(ty: &Ty) -> bool {
    matches!(ty, Ty::Bool | Ty::Int(_) | Ty::Float(_))
}
