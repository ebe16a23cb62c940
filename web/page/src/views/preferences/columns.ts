import { html } from "lit";

import type { AlsoWatched, TopBySegment, TopContent } from "../../api/types.ts";
import { contentAddress } from "../../app/router.ts";
import { count, duration, error, percent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { dimensionName, valueName } from "../../i18n/values.ts";
import { bar } from "../../parts/bar.ts";
import type { Column } from "../../parts/table.ts";
import type { Titled } from "./choice.ts";
import { liftInWords } from "./lift.ts";

/** A row and its place, from 1 on. */
type Ranked<Row> = Row & { rank: number };
type Also = Ranked<AlsoWatched["contents"][number]>;
type InSegment = Ranked<TopBySegment["segments"][number]["contents"][number]> & { segment: string | null };

/** Rows with their places. */
export const ranked = <Row>(rows: Row[]): Ranked<Row>[] =>
  rows.map((row, index) => ({ ...row, rank: index + 1 }));

/** A content by its title, leading to its view. */
export const contentLink = ({ content_id, title }: Titled) =>
  html`<a href=${contentAddress(content_id)}><bdi>${title ?? content_id}</bdi></a>`;

const named = <Row extends Ranked<Titled>>(): Column<Row>[] => [
  { label: t("preferences.rank"), raw: (row) => row.rank },
  {
    label: t("preferences.content"),
    shown: (row) =>
      html`<span class="ranked"><span class="rank">${count(row.rank)}</span> ${contentLink(row)}</span>`,
    raw: (row) => row.title,
  },
  { label: t("preferences.content_id"), raw: (row) => row.content_id },
];

/** What this audience also watches. */
export const alsoColumns = (): Column<Also>[] => [
  ...named<Also>(),
  {
    label: t("preferences.share"),
    definition: "share",
    number: true,
    shown: (row) => html`<span class="share">${percent(row.share)} ${bar(row.share)}</span>`,
    raw: (row) => row.share,
  },
  {
    label: t("preferences.common"),
    definition: "also-watched: viewers",
    number: true,
    shown: (row) => count(row.viewers),
    raw: (row) => row.viewers,
  },
  {
    label: t("preferences.lift"),
    definition: "lift",
    shown: (row) => html`<span class="lift">${liftInWords(row.lift)}</span>`,
    raw: (row) => row.lift,
  },
];

/** The most watched contents. */
export const topColumns = (): Column<Ranked<TopContent>>[] => [
  ...named<Ranked<TopContent>>(),
  {
    label: t("preferences.watched"),
    definition: "Top/watched_ms",
    number: true,
    shown: (row) => duration(row.watched_ms),
  },
  { label: t("preferences.watched_ms"), raw: (row) => row.watched_ms },
  {
    label: t("preferences.viewers"),
    definition: "top: viewers",
    number: true,
    shown: (row) => html`${count(row.viewers)} <span class="quiet">${error(row.viewers_error)}</span>`,
    raw: (row) => row.viewers,
  },
  { label: t("definition.error_of", { figure: t("preferences.viewers") }), raw: (row) => row.viewers_error },
  {
    label: t("preferences.events"),
    definition: "Top/events",
    number: true,
    shown: (row) => count(row.events),
    raw: (row) => row.events,
  },
];

/** The most watched contents of each segment, one under the other; for exports alone. */
export const segmentColumns = (by: string): Column<InSegment>[] => [
  { label: dimensionName(by), raw: (row) => valueName(by, row.segment) },
  ...named<InSegment>(),
  { label: t("preferences.watched_ms"), raw: (row) => row.watched_ms },
  { label: t("preferences.viewers"), raw: (row) => row.viewers },
];

/** The rows of such an export. */
export const segmentRows = ({ segments }: TopBySegment): InSegment[] =>
  segments.flatMap(({ value, contents }) => ranked(contents).map((row) => ({ ...row, segment: value })));
