//! Generates the table of operations in the docs of `spot-api`.

use std::path::PathBuf;

use crate::{
    codegen::{camel, file_doc, preamble},
    spec::{Access, Op, PagingBy, Param, Spec},
};

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    let mut table =
        String::from("| call | operation | scopes | access | maximum |\n|---|---|---|---|---|");
    for (name, op) in spec.ops() {
        table.push_str(&format!(
            "\n| [`{}`](crate::{}) | [`{}`][{}] | {} | {} | {} |",
            call(spec, op),
            camel(name),
            op.route(),
            op.id,
            scopes(op),
            access(op),
            how_many(op),
        ));
    }
    let mut ids: Vec<&str> = spec.ops().map(|(_, op)| op.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let links = ids.iter().map(|id| {
        format!("[{id}]: https://developer.spotify.com/documentation/web-api/reference/{id}")
    });
    let paragraphs = [
        "Lists all operations of the Web API, with the call for each operation.",
        "If the table lists several scopes for an operation, a request to the operation may need \
         fewer scopes. The value \"extended\" in the column \"access\" means that applications in \
         Development Mode cannot call the operation (since 2026-02-11). The value \"2024\" in this \
         column means that extended access must have been granted to the application, or \
         requested for it, on or before 2024-11-27. Each row of this table is also a constant of \
         [`Operation`](crate::model::Operation), for example `Operation::GET_ARTIST`.",
        &table,
        &links.collect::<Vec<_>>().join("\n"),
    ];
    let text = preamble("*.toml") + &file_doc(&paragraphs);
    vec![("crates/spot-api/src/generated/operations.rs".into(), text)]
}

/// The call in Rust, for example `client.album(id).tracks()`.
fn call(spec: &Spec, op: &Op) -> String {
    let parent = spec.op(&op.on);
    let given: Vec<&str> = parent.into_iter().flat_map(|op| &op.path).map(Param::rust).collect();
    let required = op.params().filter(|(_, required)| *required).map(|(param, _)| param.rust());
    let file = op.upload.iter().map(|upload| upload.name.as_str());
    let arguments: Vec<&str> = required.filter(|name| !given.contains(name)).chain(file).collect();
    let before = match parent {
        Some(parent) => call(spec, parent),
        None if op.on == "client" => "client".to_owned(),
        None => format!("client.{}()", op.on),
    };
    format!("{before}.{}({})", op.r#as, arguments.join(", "))
}

fn scopes(op: &Op) -> String {
    let scopes: Vec<String> = op.scopes.iter().map(|scope| format!("`{scope}`")).collect();
    scopes.join(", ")
}

fn access(op: &Op) -> &'static str {
    match op.access {
        Access::Any => "",
        Access::Extended => "extended",
        Access::Closed2024 => "2024",
    }
}

fn how_many(op: &Op) -> String {
    match (&op.paging, &op.chunk) {
        (Some(paging), _) if paging.by == PagingBy::Cursor => {
            format!("{} per page, by cursor", paging.max)
        }
        (Some(paging), _) => format!("{} per page", paging.max),
        (None, Some(chunk)) => format!("{} per call", chunk.max),
        (None, None) => String::new(),
    }
}
