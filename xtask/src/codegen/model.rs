//! Generates the public objects and enums of `spot-model`.

use std::path::PathBuf;

use crate::{
    codegen::{doc, file_doc, import, preamble, wire::imports},
    spec::{Domain, Enum, Field, Op, Param, Spec, Type},
    ty::Ty,
};

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut modules = String::new();
    let mut exports = String::new();
    for domain in &spec.domains {
        if domain.r#type.is_empty() && domain.r#enum.is_empty() {
            continue;
        }
        let name = &domain.name;
        modules.push_str(&format!("mod {name};\n"));
        let names = domain.r#enum.iter().map(|(name, _)| name.to_owned());
        let names = names.chain(domain.r#type.iter().map(|(name, _)| name.to_owned()));
        exports.push_str(&format!("pub {}", import(name, names)));
        files.push((
            format!("crates/spot-model/src/generated/{name}.rs").into(),
            file(spec, domain),
        ));
    }
    let root = format!(
        "{}{}{modules}mod operations;\nmod wire;\n\npub(crate) use wire::playable::PlayableWire;\n{exports}",
        preamble("*.toml"),
        file_doc(&["Generated objects and enums, and the table of operations."]) + "\n",
    );
    files.push(("crates/spot-model/src/generated/mod.rs".into(), root));
    files
}

/// Whether every field has a default value.
pub(super) fn has_default(kind: &Type) -> bool {
    kind.fields.iter().all(|field| !field.required)
}

fn file(spec: &Spec, domain: &Domain) -> String {
    let mut body = String::new();
    for (name, kind) in domain.r#type.iter() {
        body.push('\n');
        body.push_str(&object(spec, name, kind));
    }
    for (name, kind) in domain.r#enum.iter() {
        body.push('\n');
        body.push_str(&string_enum(name, kind));
    }
    let mut more = Vec::new();
    if !domain.r#enum.is_empty() {
        more.push("string_enum".to_owned());
    }
    let mut out = preamble(&format!("{}.toml", domain.name));
    out.push_str(&file_doc(&[&domain.doc]));
    out.push('\n');
    out.push_str(&imports(&body, domain, more));
    out.push_str(&body);
    out
}

fn object(spec: &Spec, name: &str, kind: &Type) -> String {
    let default = if has_default(kind) { ", Default" } else { "" };
    let origin = origin(spec, name);
    let paragraphs: Vec<&str> = std::iter::once(&*kind.doc).chain(origin.as_deref()).collect();
    let mut out = doc("", &paragraphs);
    out.push_str(&format!("#[derive(Clone, Debug{default}, PartialEq)]\n"));
    out.push_str(&format!("#[non_exhaustive]\npub struct {name} {{\n"));
    for field in &kind.fields {
        let gone = gone(field);
        let mut paragraphs = vec![field.doc.as_str()];
        paragraphs.extend(gone.as_deref());
        out.push_str(&doc("    ", &paragraphs));
        out.push_str(&format!("    pub {}: {},\n", field.name, field.ty.rust()));
    }
    out.push_str("}\n");
    out
}

/// A paragraph of the docs of the type `name`, which lists the calls that return the type, and the
/// objects that contain it.
fn origin(spec: &Spec, name: &str) -> Option<String> {
    let returns = |op: &Op| Ty::parse(&op.returns).is_ok_and(|ty| ty.has(name));
    let calls = spec.ops().filter(|(_, op)| returns(op));
    let calls: Vec<String> = calls.map(|(_, op)| format!("`{}`", call(spec, op))).collect();
    let wholes = spec.types().filter(|(whole, kind)| {
        *whole != name && kind.fields.iter().any(|field| field.ty.has(name))
    });
    let wholes: Vec<String> =
        wholes.map(|(whole, _)| format!("[`{whole}`](crate::{whole})")).collect();
    let sentence = |start: &str, names: &[String]| match names {
        [] => String::new(),
        [name] => format!("{start} {name}."),
        [names @ .., last] => format!("{start} {} and {last}.", names.join(", ")),
    };
    let text = [sentence("Returned by", &calls), sentence("Part of", &wholes)].join(" ");
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The call of an operation, with the names of its arguments: `client.artist(id).albums()`.
fn call(spec: &Spec, op: &Op) -> String {
    let (before, given) = match (op.on.as_str(), spec.op(&op.on)) {
        ("client", _) => ("client".to_owned(), Vec::new()),
        (_, Some(parent)) => (call(spec, parent), parent.path.iter().map(Param::rust).collect()),
        (handle, None) => (format!("client.{handle}()"), Vec::new()),
    };
    let arguments = op.params().filter(|(param, required)| {
        let is_given =
            given.contains(&param.rust()) && op.path.iter().any(|path| path.rust() == param.rust());
        *required && !is_given
    });
    let arguments: Vec<&str> = arguments.map(|(param, _)| param.rust()).collect();
    format!("{before}.{}({})", op.r#as, arguments.join(", "))
}

fn gone(field: &Field) -> Option<String> {
    let month = field.gone.as_deref()?;
    Some(format!("Missing in Development Mode since {month}."))
}

fn string_enum(name: &str, kind: &Enum) -> String {
    let mut out = String::from("string_enum! {\n");
    out.push_str(&doc("    ", &[&kind.doc]));
    out.push_str(&format!("    pub enum {name} {{\n"));
    for value in &kind.values {
        out.push_str(&doc("        ", &[&value.doc]));
        out.push_str(&format!("        {} = \"{}\",\n", value.name, value.value));
    }
    out.push_str("    }\n}\n");
    out
}
