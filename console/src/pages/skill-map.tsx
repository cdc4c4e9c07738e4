import { useEffect, useMemo, useState } from "preact/hooks";
import type { ScoresAnswer, SkillsPage } from "../api/answers.ts";
import { pathOf } from "../api/client.ts";
import { count, percent } from "../model/format.ts";
import { box, inTwoLines, type PlacedSkill, pathThrough, skillGraph } from "../model/skill-graph.ts";
import { Bar, DataTable, ProblemNotice } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";

type Mastery = ScoresAnswer["skills"][number];

/** More boxes say nothing on a page; the table has them all. */
const drawnMax = 150;
const pageSize = 1_000;

/** Skills, drawn by what builds on what and filled as far as they are mastered; the same as a table. */
export function SkillMap({ mastery }: { readonly mastery: readonly Mastery[] }) {
  const { skills, problem } = useSkills();
  const known = new Map(mastery.map((one) => [one.skillId, one]));
  const graph = useMemo(() => (skills === null || skills.length > drawnMax ? null : skillGraph(skills)), [skills]);
  if (skills === null) return <ProblemNotice problem={problem} />;
  if (skills.length === 0) return <p>No skills are defined.</p>;
  return (
    <>
      {graph !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <section class="scrolls" aria-label="Skill graph" tabIndex={0}>
          <svg
            class="skill-map"
            viewBox={`0 0 ${graph.width} ${graph.height}`}
            width={graph.width}
            height={graph.height}
            role="img"
            aria-label={`Graph of ${count(skills.length)} skills; the table below says the same`}
          >
            {graph.edges.map(({ from, to, points }) => (
              <path key={`${from} ${to}`} d={pathThrough(points)} />
            ))}
            {graph.skills.map((skill) => (
              <SkillBox key={skill.skillId} skill={skill} mastery={known.get(skill.skillId)} />
            ))}
          </svg>
        </section>
      )}
      <details open={graph === null}>
        <summary>As a table</summary>
        <DataTable caption="Mastery by skill" head={["Skill", "Mastery", "Give or take", "Answers", "Builds on"]}>
          {skills.map(({ skillId, title, prerequisites }) => (
            <MasteryRow
              key={skillId}
              title={title}
              mastery={known.get(skillId)}
              before={prerequisites.map(
                (one) => skills.find((skill) => skill.skillId === one.skillId)?.title ?? one.skillId,
              )}
            />
          ))}
        </DataTable>
      </details>
    </>
  );
}

function SkillBox({ skill, mastery }: { readonly skill: PlacedSkill; readonly mastery: Mastery | undefined }) {
  const share = mastery?.mastery ?? null;
  const lines = inTwoLines(skill.title);
  return (
    <g transform={`translate(${skill.x.toFixed(1)} ${skill.y.toFixed(1)})`} data-skill={skill.skillId}>
      <rect class="box" width={box.width} height={box.height} rx={6} />
      <rect class="filled" y={box.height - 8} width={box.width * (share ?? 0)} height={8} rx={3} />
      {lines.map((line, at) => (
        <text key={line} x={8} y={16 + at * 13}>
          {line}
        </text>
      ))}
      <text class="share" x={box.width - 8} y={box.height - 12} text-anchor="end">
        {share === null ? "-" : percent(share)}
      </text>
    </g>
  );
}

function MasteryRow(props: {
  readonly title: string;
  readonly mastery: Mastery | undefined;
  readonly before: readonly string[];
}) {
  const { title, mastery, before } = props;
  return (
    <tr>
      <th scope="row" class="words">
        {title}
      </th>
      <td class="number">
        {mastery === undefined ? (
          "-"
        ) : (
          <>
            <Bar share={mastery.mastery} label={`Mastery of ${title}`} /> {percent(mastery.mastery)}
          </>
        )}
      </td>
      <td class="number">{mastery === undefined ? "-" : mastery.sd.toFixed(2)}</td>
      <td class="number">{mastery === undefined ? "0" : count(mastery.answers)}</td>
      <td class="words">{before.length === 0 ? "-" : before.join(", ")}</td>
    </tr>
  );
}

/** The catalogue's skills, read once; null until then. */
function useSkills() {
  const { api } = useSession();
  const [skills, setSkills] = useState<SkillsPage["skills"] | null>(null);
  const action = useAction();
  useEffect(() => {
    const ended = new AbortController();
    void action.run(async () => {
      const all: SkillsPage["skills"][number][] = [];
      for (let cursor: string | null = null; !ended.signal.aborted; ) {
        const page: SkillsPage = await api.get(pathOf("/v1/skills", { count: pageSize, cursor }), ended.signal);
        all.push(...page.skills);
        cursor = page.nextCursor;
        if (cursor === null) break;
      }
      if (!ended.signal.aborted) setSkills(all);
    });
    return () => ended.abort();
  }, [api]);
  return { skills, problem: action.problem };
}
