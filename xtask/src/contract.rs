//! Describes the operations of the spec as HTTP requests with JSON. `drift` compares this
//! description with the official document, and `openapi` prints it.

use crate::{
    spec::{Op, PagingBy, Param, SendAs, Spec, UploadKind},
    ty::Ty,
};

/// A parameter of an operation.
pub(crate) struct Parameter {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) ty: Ty,
    /// How the value is sent, if it is not sent as a plain value.
    pub(crate) send: Option<SendAs>,
    pub(crate) need: Need,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) default: Option<String>,
    /// The only allowed values. Empty if any value is allowed.
    pub(crate) values: Vec<String>,
    pub(crate) doc: String,
}

/// The place of a parameter in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Path,
    Query,
    /// A field of the JSON body.
    Body,
    /// The whole body.
    File,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
            Self::File => "file",
        }
    }
}

/// Who sets a parameter.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Need {
    /// The caller must set the parameter.
    Required,
    /// The caller may set the parameter.
    Optional,
    /// The client always sends the parameter.
    Always,
}

/// The parameters of an operation, in the order in which they are sent.
pub(crate) fn parameters(spec: &Spec, op: &Op) -> Vec<Parameter> {
    let mut all = Vec::new();
    for (place, params) in [(Place::Path, &op.path), (Place::Query, &op.query)] {
        all.extend(params.iter().map(|param| parameter(spec, place, param)));
    }
    for attribute in &op.attributes {
        let whiches = [("min", "Minimum"), ("max", "Maximum"), ("target", "Target")];
        all.extend(whiches.map(|(which, words)| Parameter {
            name: format!("{which}_{}", attribute.name),
            doc: format!("{words} {}.", attribute.doc),
            ..parameter(spec, Place::Query, attribute)
        }));
    }
    if op.market {
        all.push(optional("market", Ty::Text, "Market to query: two letters of ISO 3166-1, or `from_token`. With a user's token Spotify uses the country of the user."));
    }
    if let Some(paging) = &op.paging {
        all.push(Parameter {
            min: Some(1),
            max: Some(paging.max.into()),
            default: Some(paging.default.to_string()),
            ..optional("limit", Ty::Int("u8".to_owned()), "Maximum number of entries per page.")
        });
        if paging.by != PagingBy::Cursor {
            all.push(Parameter {
                max: paging.last_offset.map(Into::into),
                default: Some("0".to_owned()),
                ..optional("offset", Ty::Int("u32".to_owned()), "Index of the first entry.")
            });
        }
    }
    all.extend(op.body.iter().map(|param| parameter(spec, Place::Body, param)));
    if let Some(upload) = &op.upload {
        let UploadKind::Jpeg = upload.kind;
        all.push(Parameter {
            place: Place::File,
            need: Need::Required,
            ..optional("image/jpeg", Ty::Text, &upload.doc)
        });
    }
    all
}

/// The parameters of all calls of one operation. A parameter is optional if only some of the calls
/// need it.
pub(crate) fn merged(spec: &Spec, ops: &[&Op]) -> Vec<Parameter> {
    let mut merged: Vec<(usize, Parameter)> = Vec::new();
    for new in ops.iter().flat_map(|op| parameters(spec, op)) {
        let is_same = |known: &&mut (usize, Parameter)| {
            known.1.place == new.place && known.1.name == new.name
        };
        match merged.iter_mut().find(is_same) {
            Some((calls, known)) => {
                *calls += 1;
                if known.need != new.need {
                    known.need = Need::Optional;
                }
                let more = new.values.into_iter().filter(|value| !known.values.contains(value));
                known.values.extend(more.collect::<Vec<_>>());
            }
            None => merged.push((1, new)),
        }
    }
    let everywhere = |(calls, parameter): (usize, Parameter)| {
        let need = if calls == ops.len() { parameter.need } else { Need::Optional };
        Parameter { need, ..parameter }
    };
    merged.into_iter().map(everywhere).collect()
}

fn optional(name: &str, ty: Ty, doc: &str) -> Parameter {
    Parameter {
        place: Place::Query,
        name: name.to_owned(),
        ty,
        send: None,
        need: Need::Optional,
        min: None,
        max: None,
        default: None,
        values: Vec::new(),
        doc: doc.to_owned(),
    }
}

fn parameter(spec: &Spec, place: Place, param: &Param) -> Parameter {
    let is_sent_anyway = param.constant.is_some() || param.send == Some(SendAs::All);
    let need = match place {
        _ if is_sent_anyway => Need::Always,
        Place::Path => Need::Required,
        _ if param.required => Need::Required,
        _ => Need::Optional,
    };
    let values = match &param.constant {
        Some(constant) => vec![constant.clone()],
        None => enum_values(spec, &param.ty).unwrap_or_default(),
    };
    Parameter {
        place,
        name: param.name.clone(),
        ty: param.ty.clone(),
        send: param.send,
        need,
        min: param.min,
        max: param.max,
        default: param.default.clone(),
        values,
        doc: param.doc.clone(),
    }
}

/// The values of an enum, or of the enum inside a list.
pub(crate) fn enum_values(spec: &Spec, ty: &Ty) -> Option<Vec<String>> {
    match ty {
        Ty::Named(name) => {
            let kind = spec.string_enum(name)?;
            Some(kind.values.iter().map(|value| value.value.clone()).collect())
        }
        Ty::List(inner) | Ty::Optional(inner) | Ty::Boxed(inner) => enum_values(spec, inner),
        _ => None,
    }
}
