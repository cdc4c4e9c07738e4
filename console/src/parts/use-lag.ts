import { useEffect, useState } from "preact/hooks";
import type { LagAnswer } from "../api/answers.ts";
import { secondsByProjection, throughput } from "../model/lag.ts";
import { emptySeries, type Series, withPoint } from "../model/series.ts";
import { useSession } from "./session.ts";
import { type Polled, usePoll } from "./use-poll.ts";

/** Five minutes of looks. */
const pointsMax = 300;

/** Outlives the pages, so that who comes back sees what was before. */
let kept: { readonly behind: Series; readonly flow: Series } = { behind: emptySeries, flow: emptySeries };

/** Lag each second, and its last minutes; nothing where `asks` is false. */
export function useLag(asks: boolean): { polled: Polled<LagAnswer>; behind: Series; flow: Series } {
  const { api } = useSession();
  const polled = usePoll("lag", asks ? (signal) => api.get<LagAnswer>("/v1/ops/lag", signal) : null);
  const [series, setSeries] = useState(kept);
  const { data, at } = polled;
  useEffect(() => {
    if (data === null || at === null) return;
    kept = {
      behind: withPoint(kept.behind, at / 1000, secondsByProjection(data.projections), pointsMax),
      flow: withPoint(kept.flow, at / 1000, throughput(data.projections), pointsMax),
    };
    setSeries(kept);
  }, [data, at]);
  return { polled, ...series };
}
