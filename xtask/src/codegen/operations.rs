//! Generates the table of operations in `spot-model`.

use std::path::PathBuf;

use crate::{
    codegen::{doc, preamble},
    spec::{Access, Op, Paging, PagingBy, Spec},
};

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    let mut consts = String::new();
    let mut all = String::new();
    for (name, op) in spec.ops() {
        let constant = name.to_uppercase();
        consts.push_str(&doc("    ", &[&format!("{} `{}`", op.doc, op.route())]));
        consts.push_str(&format!(
            "    pub const {constant}: &'static Self = &{};\n\n",
            value(spec, name, op)
        ));
        all.push_str(&format!("        Self::{constant},\n"));
    }
    let out = format!(
        "{}//! The table of operations.\n\n\
         use crate::{{Access, Method, Operation, Paging, Scope}};\n\n\
         impl Operation {{\n    /// Every operation, in the order of the spec.\n    \
         pub const ALL: &'static [&'static Self] = &[\n{all}    ];\n\n{consts}}}\n",
        preamble("*.toml")
    );
    vec![("crates/spot-model/src/generated/operations.rs".into(), out)]
}

fn value(spec: &Spec, name: &str, op: &Op) -> String {
    let route = op.route();
    let (method, path) = route.split_once(' ').unwrap_or_default();
    let method_name = match method {
        "PUT" => "Put",
        "POST" => "Post",
        "DELETE" => "Delete",
        _ => "Get",
    };
    let scopes: Vec<_> = op
        .scopes
        .iter()
        .filter_map(|scope| Some(format!("Scope::{}", spec.scope(scope)?.name)))
        .collect();
    let access = match op.access {
        Access::Any => "Any",
        Access::Extended => "Extended",
        Access::Closed2024 => "Closed2024",
    };
    let paging = match &op.paging {
        None => "Paging::None".to_owned(),
        Some(Paging { by: PagingBy::Cursor, max, cursor, .. }) => {
            format!(
                "Paging::Cursor {{ parameter: {:?}, max: {max} }}",
                cursor.as_deref().unwrap_or("after")
            )
        }
        Some(paging) => format!(
            "Paging::Offset {{ max: {}, extended_max: {}, last_offset: {:?} }}",
            paging.max,
            paging.extended_max(),
            paging.last_offset
        ),
    };
    format!(
        "Self {{ name: {name:?}, id: {:?}, method: Method::{method_name}, path: {path:?}, scopes: &[{}], \
         access: Access::{access}, idempotent: {}, paging: {paging}, chunk: {:?}, replacement: {:?}, \
         own_limit: {} }}",
        op.id,
        scopes.join(", "),
        op.is_idempotent(),
        op.chunk.as_ref().map(|chunk| chunk.max),
        op.replacement,
        op.own_limit,
    )
}
