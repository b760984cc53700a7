//! Draws SVG plots of the main tables. Each plot has a background, so that it looks the same on
//! light and dark pages.

use std::{error::Error, fs, path::Path};

use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, PathElement, Rectangle, Text},
    style::{
        Color as _, FontStyle, IntoFont, RGBColor, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::table::Table;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(31, 35, 40);
const FAINT: RGBColor = RGBColor(101, 109, 118);
const GRID: RGBColor = RGBColor(221, 225, 230);
const OWN: RGBColor = RGBColor(22, 121, 72);
const OTHER: RGBColor = RGBColor(150, 163, 177);

const WIDTH: i32 = 920;
const MARGIN: i32 = 24;
const ROW: i32 = 20;
const GROUP: i32 = 30;
/// Height of the plot's title and the panel titles, in pixels. `FOOT` is the height of the axes.
const HEAD: i32 = 74;
const FOOT: i32 = 34;
/// The SVG backend draws each font smaller than requested, by this factor.
const UNITS: f64 = 1.24;
/// Width of the label at the end of a bar, in pixels.
const LABEL: i32 = 84;

/// A bar chart. Each panel shows one figure of each row, with its own scale.
struct Bars<'a> {
    title: &'a str,
    panels: &'a [&'a str],
    /// Width of the row names on the left, in pixels.
    names: i32,
    rows: Vec<Row>,
}

/// A row of the bar chart.
struct Row {
    group: String,
    name: String,
    /// One string for each panel. If the string does not start with a number, the row has no bar in
    /// the panel.
    figures: Vec<String>,
}

impl Row {
    fn is_own(&self) -> bool {
        self.name.starts_with("**")
    }
}

/// Draws a plot of each given table. Returns the images as Markdown.
pub(crate) fn draw(tables: &[&Table], dir: &Path) -> Result<String> {
    fs::create_dir_all(dir)?;
    let find = |title: &str| tables.iter().find(|table| table.title.contains(title));
    let mut pictures = String::new();
    let mut picture = |name: &str, alt: &str| {
        pictures += &format!("![{alt}](plots/{name}.svg)\n\n");
        dir.join(format!("{name}.svg"))
    };
    if let Some(table) = find("Decoding") {
        decoding(table, &picture("decoding", "Decoding speed, compared with other readers"))?;
    }
    if let Some(table) = find("saved tracks (server delay: 50 ms per page)") {
        paging(table, &picture("paging", "Time to read a library, by number of prefetched pages"))?;
    }
    if let Some(table) = find("time of each job") {
        requests(table, &picture("requests", "Requests, received bytes and duration of each job"))?;
    }
    if let Some(table) = find("Weight") {
        weight(table, &picture("weight", "Crates, build time and size of a small program"))?;
    }
    Ok(pictures)
}

fn decoding(table: &Table, path: &Path) -> Result<()> {
    const READERS: [&str; 5] = [
        "**spot-model**",
        "rspotify-model",
        "serde_json::Value",
        "sonic_rs::Value",
        "derived structs that borrow text",
    ];
    let cells = table.column("body")?.into_iter().zip(table.column("reader")?);
    let mut rows: Vec<Row> = cells
        .zip(table.column("MB/s")?)
        .filter(|((body, reader), _)| !body.starts_with("recorded") && READERS.contains(reader))
        .map(|((body, reader), speed)| row(body, reader, [speed]))
        .collect();
    // In each group, the fastest row comes first.
    let mut groups: Vec<String> = rows.iter().map(|row| row.group.clone()).collect();
    groups.dedup();
    let speed = |row: &Row| row.figures.first().and_then(|text| number(text)).unwrap_or(0.0);
    rows.sort_by(|a, b| {
        let group = |row: &Row| groups.iter().position(|group| *group == row.group);
        group(a).cmp(&group(b)).then(speed(b).total_cmp(&speed(a)))
    });
    let title = "Decoding a page: megabytes of JSON per second, more is better";
    bars(&Bars { title, panels: &["MB/s"], names: 230, rows }, path)
}

fn requests(table: &Table, path: &Path) -> Result<()> {
    let [mode, job, client, requests, bytes, seconds] =
        ["mode", "job", "client", "requests", "KB received", "seconds"]
            .map(|name| table.column(name));
    let groups = mode?.into_iter().zip(job?).map(|(mode, job)| format!("{job}, {mode} Mode"));
    let figures = requests?.into_iter().zip(bytes?).zip(seconds?);
    let rows = groups
        .zip(client?)
        .zip(figures)
        .map(|((group, client), ((requests, bytes), seconds))| {
            row(&group, client, [requests, bytes, seconds])
        })
        .collect();
    let title = "Complete jobs (server delay: 50 ms per request): less is better";
    let panels = &["requests", "KB received", "seconds"];
    bars(&Bars { title, panels, names: 110, rows }, path)
}

fn weight(table: &Table, path: &Path) -> Result<()> {
    let [features, program, crates, build, binary] =
        ["features", "program", "crates", "release build, CPU seconds", "binary, MB"]
            .map(|name| table.column(name));
    let figures = crates?.into_iter().zip(build?).zip(binary?);
    let rows = features?
        .into_iter()
        .zip(program?)
        .zip(figures)
        .map(|((group, name), ((crates, build), binary))| row(group, name, [crates, build, binary]))
        .collect();
    let title = "A small program, release build: less is better";
    let panels = &["crates", "CPU seconds to build", "MB of the binary"];
    bars(&Bars { title, panels, names: 130, rows }, path)
}

fn row<const N: usize>(group: &str, name: &str, figures: [&str; N]) -> Row {
    let figures = figures.map(str::to_owned).to_vec();
    Row { group: group.to_owned(), name: name.to_owned(), figures }
}

fn bars(plot: &Bars<'_>, path: &Path) -> Result<()> {
    let groups = plot.rows.chunk_by(|a, b| a.group == b.group);
    let rows_height = groups.clone().count() as i32 * GROUP + plot.rows.len() as i32 * ROW;
    let height = HEAD + rows_height + FOOT + MARGIN;
    let area = page(path, height, plot.title)?;
    let left = MARGIN + plot.names;
    let panel = (WIDTH - MARGIN - left) / plot.panels.len().max(1) as i32;
    for (at, title) in plot.panels.iter().enumerate() {
        let x = left + panel * at as i32;
        text(&area, title, (x, HEAD - 16), 13.0, FAINT, HPos::Left)?;
        let values = plot.rows.iter().filter_map(|row| number(row.figures.get(at)?));
        let step = step(values.clone().fold(0.0, f64::max), if panel > 400 { 6.0 } else { 3.0 });
        let most = (values.fold(0.0, f64::max) / step).ceil().max(1.0) * step;
        let length = f64::from(panel - LABEL);
        let place = |value: f64| x + (value / most * length) as i32;
        for tick in 0..=(most / step) as i32 {
            let value = f64::from(tick) * step;
            let line = vec![(place(value), HEAD), (place(value), HEAD + rows_height)];
            area.draw(&PathElement::new(line, GRID))?;
            let label = (place(value), HEAD + rows_height + 14);
            text(&area, &figure(value), label, 11.0, FAINT, HPos::Center)?;
        }
        let mut y = HEAD;
        for group in groups.clone() {
            y += GROUP;
            for row in group {
                let color = if row.is_own() { OWN } else { OTHER };
                let label = row.figures.get(at).map_or("", String::as_str);
                let end = place(number(label).unwrap_or(0.0));
                if number(label).is_some() {
                    let bar = [(x, y + 3), (end.max(x + 1), y + ROW - 3)];
                    area.draw(&Rectangle::new(bar, color.filled()))?;
                }
                let ink = if row.is_own() { OWN } else { INK };
                text(&area, &grouped(label), (end + 5, y + ROW / 2), 12.0, ink, HPos::Left)?;
                y += ROW;
            }
        }
    }
    let mut y = HEAD;
    for group in groups {
        if let Some(first) = group.first() {
            bold(&area, &first.group, (MARGIN, y + GROUP / 2 + 4), 13.0, INK)?;
        }
        y += GROUP;
        for row in group {
            let name = row.name.replace("**", "");
            let at = (left - 8, y + ROW / 2);
            let ink = if row.is_own() { OWN } else { INK };
            text(&area, &name, at, 12.0, ink, HPos::Right)?;
            y += ROW;
        }
    }
    Ok(area.present()?)
}

/// Plots the time as a function of the number of prefetched pages. For comparison, the plot
/// contains clients that do not prefetch pages.
fn paging(table: &Table, path: &Path) -> Result<()> {
    const HEIGHT: i32 = 420;
    const LEFT: i32 = 64;
    const RIGHT: i32 = 250;
    const TOP: i32 = 70;
    const BOTTOM: i32 = 56;
    let rows: Vec<(&str, f64)> = table
        .column("client")?
        .into_iter()
        .zip(table.column("seconds")?)
        .filter_map(|(client, seconds)| Some((client, number(seconds)?)))
        .collect();
    let own: Vec<(f64, f64)> = rows
        .iter()
        .filter_map(|(client, seconds)| {
            Some((number(client.rsplit_once("prefetch ")?.1)?, *seconds))
        })
        .collect();
    let most = rows.iter().fold(0.0, |most: f64, (_, seconds)| most.max(*seconds));
    let far = own.iter().fold(1.0, |far: f64, (pages, _)| far.max(*pages));
    let step = step(most, 6.0);
    let top = (most / step).ceil() * step;
    let title = format!("{}: seconds, less is better", table.title);
    let area = page(path, HEIGHT, &title)?;
    let x = |pages: f64| LEFT + ((pages / far) * f64::from(WIDTH - LEFT - RIGHT)) as i32;
    let y =
        |seconds: f64| HEIGHT - BOTTOM - (seconds / top * f64::from(HEIGHT - TOP - BOTTOM)) as i32;
    for tick in 0..=(top / step) as i32 {
        let value = f64::from(tick) * step;
        area.draw(&PathElement::new(vec![(x(0.0), y(value)), (x(far), y(value))], GRID))?;
        text(&area, &figure(value), (LEFT - 10, y(value)), 12.0, FAINT, HPos::Right)?;
    }
    text(&area, "seconds", (MARGIN, TOP - 16), 12.0, FAINT, HPos::Left)?;
    for (pages, _) in &own {
        text(&area, &figure(*pages), (x(*pages), HEIGHT - BOTTOM + 16), 12.0, FAINT, HPos::Center)?;
    }
    let middle = (x(far / 2.0), HEIGHT - BOTTOM + 36);
    text(&area, "prefetched pages", middle, 12.0, FAINT, HPos::Center)?;
    // The plot shows a client without prefetch as a horizontal line. The labels of the lines must
    // not overlap.
    let others = rows.iter().filter(|(client, _)| !client.starts_with("**"));
    let mut label = y(top) - 20;
    let mut levels: Vec<_> = others.collect();
    levels.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    for (client, seconds) in levels {
        let line = vec![(x(0.0), y(*seconds)), (x(far), y(*seconds))];
        area.draw(&PathElement::new(line, OTHER.stroke_width(2)))?;
        label = y(*seconds).max(label + 17);
        let name = client.split(", ").next().unwrap_or(client);
        let words = format!("{name}: {seconds:.1} s");
        text(&area, &words, (x(far) + 10, label), 12.0, INK, HPos::Left)?;
    }
    let line: Vec<(i32, i32)> =
        own.iter().map(|(pages, seconds)| (x(*pages), y(*seconds))).collect();
    area.draw(&PathElement::new(line.clone(), OWN.stroke_width(2)))?;
    for ((_, seconds), at) in own.iter().zip(&line) {
        area.draw(&Circle::new(*at, 4, OWN.filled()))?;
        let above = (at.0 + 8, at.1 - 12);
        text(&area, &format!("{seconds:.1} s"), above, 12.0, OWN, HPos::Left)?;
    }
    if let Some(last) = line.last() {
        text(&area, "spot-api", (last.0 + 10, last.1 + 6), 13.0, OWN, HPos::Left)?;
    }
    Ok(area.present()?)
}

/// Creates an empty plot with a title.
fn page<'a>(path: &'a Path, height: i32, title: &str) -> Result<Area<'a>> {
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&BACKGROUND)?;
    bold(&area, title, (MARGIN, 30), 16.0, INK)?;
    Ok(area)
}

fn text(
    area: &Area<'_>,
    words: &str,
    at: (i32, i32),
    size: f64,
    color: RGBColor,
    side: HPos,
) -> Result<()> {
    let style = TextStyle::from(("sans-serif", size * UNITS).into_font()).color(&color);
    area.draw(&Text::new(words.to_owned(), at, style.pos(Pos::new(side, VPos::Center))))?;
    Ok(())
}

fn bold(area: &Area<'_>, words: &str, at: (i32, i32), size: f64, color: RGBColor) -> Result<()> {
    let style =
        TextStyle::from(("sans-serif", size * UNITS, FontStyle::Bold).into_font()).color(&color);
    area.draw(&Text::new(words.to_owned(), at, style.pos(Pos::new(HPos::Left, VPos::Center))))?;
    Ok(())
}

/// Parses the number at the start of a string.
fn number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Returns the distance between ticks for about `count` ticks. The distance is 1, 2 or 5 times a
/// power of ten.
fn step(most: f64, count: f64) -> f64 {
    let rough = (most / count).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    steps.into_iter().find(|step| *step >= rough).unwrap_or(power * 10.0)
}

/// Formats the value of a tick.
fn figure(value: f64) -> String {
    let text = format!("{value:.2}");
    grouped(text.trim_end_matches('0').trim_end_matches('.'))
}

/// Adds a thousands separator to a whole number of at least five digits.
fn grouped(text: &str) -> String {
    match text.parse::<u64>() {
        Ok(value) if value >= 10_000 => format!("{},{:03}", value / 1000, value % 1000),
        _ => text.to_owned(),
    }
}
