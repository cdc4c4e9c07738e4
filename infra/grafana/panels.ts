import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Panel,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatPanelBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeSeriesPanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

export interface Query {
  readonly expr: string;
  /** {{label}} stands for the label's value. */
  readonly legend: string;
}

/** Units as Grafana names them. */
export type Unit = "s" | "reqps" | "ops" | "short" | "percentunit" | "bytes" | "none" | "dtdurations";

export interface PanelOptions {
  readonly title: string;
  /** What it says and when to look at it: shown behind the panel's title. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** From here on the line is drawn as bad. */
  readonly badFrom?: number;
  /** Up to here; for what should be high. */
  readonly badTo?: number;
  /** One number instead of lines. */
  readonly stat?: true;
}

export interface RowOptions {
  readonly title: string;
  readonly panels: readonly PanelOptions[];
}

export interface DashboardOptions {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowOptions[];
}

export const query = (expr: string, legend: string): Query => ({ expr, legend });

/** Events a second of a counter, by labels. */
export const rate = (metric: string, by = ""): string =>
  `sum${by === "" ? "" : ` by (${by})`} (rate(${metric}[$__rate_interval]))`;

/** A quantile of a histogram, `selector` with its labels' braces or without. */
export function quantile(q: number, metric: string, selector = "", by = ""): string {
  const labels = by === "" ? "le" : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${metric}_bucket${selector}[$__rate_interval])))`;
}

/** Something of each process, with the role it has. */
export const byRole = (expr: string): string => `(${expr}) * on (instance) group_left (role) proximal_build_info`;
export const processLegend = "{{role}} {{instance}}";

/** Where nothing went wrong there is no series yet: that is none, not unknown. */
export const orNone = (expr: string): string => `${expr} or vector(0)`;

const columns = 24;
const panelHeight = 8;

export function dashboard({ uid, title, description, rows }: DashboardOptions): Dashboard {
  const builder = new DashboardBuilder(`Proximal: ${title}`)
    .uid(`proximal-${uid}`)
    .description(description)
    .tags(["proximal"])
    .time({ from: "now-1h", to: "now" })
    .refresh("10s")
    .timezone("browser")
    .editable()
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"));
  let id = 0;
  const nextId = (): number => {
    id += 1;
    return id;
  };
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(nextId()));
    // Three side by side, unless that leaves one alone.
    const span = row.panels.length % 3 === 0 ? columns / 3 : columns / 2;
    for (const panel of row.panels) builder.withPanel(panelOf(panel, nextId(), span));
  }
  return builder.build();
}

function panelOf(options: PanelOptions, id: number, span: number): Builder<Panel> {
  const { title, description, unit, queries } = options;
  const panel = options.stat === true ? new StatPanelBuilder() : timeSeries();
  panel
    .id(id)
    .title(title)
    .description(description)
    .unit(unit)
    .span(span)
    .height(panelHeight)
    .datasource({ type: "prometheus", uid: `\${datasource}` })
    .thresholds(thresholdsOf(options));
  queries.forEach(({ expr, legend }, at) => {
    panel.withTarget(
      new DataqueryBuilder()
        .refId("ABCDEF"[at] ?? "Z")
        .expr(expr)
        .legendFormat(legend),
    );
  });
  return panel;
}

const timeSeries = (): TimeSeriesPanelBuilder =>
  new TimeSeriesPanelBuilder()
    .lineWidth(1)
    .fillOpacity(10)
    .min(0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));

function thresholdsOf({ badFrom, badTo }: PanelOptions): ThresholdsConfigBuilder {
  const [good, bad] = ["green", "red"];
  const steps =
    badTo !== undefined
      ? [
          { value: null, color: bad },
          { value: badTo, color: good },
        ]
      : [{ value: null, color: good }, ...(badFrom === undefined ? [] : [{ value: badFrom, color: bad }])];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
