import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { KeyAnswer } from "./api/answers.ts";
import { type ApiProblem, createApi, problemFrom } from "./api/client.ts";
import { type Page, pages, pagesFor } from "./model/access.ts";
import { hashOf } from "./model/place.ts";
import { JobsPage } from "./pages/jobs.tsx";
import { LearnerPage } from "./pages/learner.tsx";
import { ParkedPage } from "./pages/parked.tsx";
import { PipelinePage } from "./pages/pipeline.tsx";
import { PracticePage } from "./pages/practice.tsx";
import { RebuildPage } from "./pages/rebuild.tsx";
import { keptKey, SessionContext, sessionOf } from "./parts/session.ts";
import { SignIn } from "./parts/sign-in.tsx";
import { type Theme, ThemeProvider, themes, useThemeChoice } from "./parts/theme.tsx";
import { usePlace } from "./parts/use-place.ts";

const contents: Readonly<Record<string, ComponentType>> = {
  pipeline: PipelinePage,
  parked: ParkedPage,
  jobs: JobsPage,
  rebuild: RebuildPage,
  learner: LearnerPage,
  practice: PracticePage,
};

export function App() {
  const theme = useThemeChoice();
  const [key, setKey] = useState(keptKey.read);
  const [refused, setRefused] = useState(false);

  function signIn(given: string): void {
    keptKey.write(given);
    setRefused(false);
    setKey(given);
  }
  function signOut(): void {
    // The cookie for the page of the queues, where there is one.
    void fetch("/console/session", { method: "DELETE" }).catch(() => undefined);
    keptKey.forget();
    setKey(null);
  }

  return (
    <ThemeProvider value={theme.shown}>
      {key === null ? (
        <SignIn refused={refused} onKey={signIn} />
      ) : (
        <SignedIn
          apiKey={key}
          onRefused={() => {
            setRefused(true);
            signOut();
          }}
        >
          <ThemeChoice chosen={theme.chosen} onChoose={theme.choose} />
          <button type="button" onClick={signOut}>
            Sign out
          </button>
        </SignedIn>
      )}
    </ThemeProvider>
  );
}

function ThemeChoice({ chosen, onChoose }: { readonly chosen: Theme; readonly onChoose: (theme: Theme) => void }) {
  return (
    <label class="theme">
      Theme{" "}
      <select
        value={chosen}
        onChange={(event) => onChoose(themes.find((theme) => theme === event.currentTarget.value) ?? "auto")}
      >
        {themes.map((theme) => (
          <option key={theme} value={theme}>
            {theme}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Asks what the key may do, and shows what it may see. */
function SignedIn(props: {
  readonly apiKey: string;
  readonly onRefused: () => void;
  readonly children: ComponentChildren;
}) {
  const { apiKey, onRefused, children } = props;
  const api = useMemo(() => createApi(apiKey, onRefused), [apiKey]);
  const [known, setKnown] = useState<KeyAnswer | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    api
      .get<KeyAnswer>("/v1/key", ended.signal)
      .then(setKnown, (error: unknown) => ended.signal.aborted || setProblem(problemFrom(error)));
    return () => ended.abort();
  }, [api, attempt]);

  if (known === null) {
    return (
      <main class="narrow">
        <h1>Proximal</h1>
        {problem === null ? <p role="status">Asking what this key may do…</p> : <p role="alert">{problem.message}</p>}
        {problem !== null && (
          <button
            type="button"
            onClick={() => {
              setProblem(null);
              setAttempt((n) => n + 1);
            }}
          >
            Try again
          </button>
        )}
      </main>
    );
  }
  return (
    <SessionContext.Provider value={sessionOf(api, known.keyId, known.scopes)}>
      <Shell known={known}>{children}</Shell>
    </SessionContext.Provider>
  );
}

function Shell({ known, children }: { readonly known: KeyAnswer; readonly children: ComponentChildren }) {
  const allowed = pagesFor(known.scopes);
  const place = usePlace();
  const page = allowed.find(({ name }) => name === place.page) ?? (place.page === "" ? allowed[0] : undefined);
  const Content = page === undefined ? null : contents[page.name];
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef<string | undefined>(undefined);
  // With the page itself, not a frame later: a key pressed between would still be the old place's.
  useLayoutEffect(() => {
    document.title = page === undefined ? "Proximal" : `${page.title} - Proximal`;
    // Who went to another page hears where they are; who just came starts at the top.
    if (shown.current !== undefined && shown.current !== page?.name) heading.current?.focus();
    shown.current = page?.name ?? "";
  }, [page?.name]);

  return (
    <>
      <button type="button" class="skip-link" onClick={() => heading.current?.focus()}>
        Skip to the content
      </button>
      <header>
        <span class="brand">Proximal</span>
        <nav aria-label="Pages">
          <ul>
            {allowed.map(({ name, title }) => (
              <li key={name}>
                <a href={hashOf(name)} aria-current={name === page?.name ? "page" : undefined}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="row who">
          <small>
            <span title={`Key ${known.keyId}`}>
              {known.scopes.includes("operator") ? "operator" : known.scopes.join(", ")}
            </span>
          </small>
          {children}
        </div>
      </header>
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {page?.title ?? "Nothing to see here"}
        </h1>
        {Content === null || Content === undefined ? (
          <NotAllowed name={place.page} scopes={known.scopes} />
        ) : (
          <Content />
        )}
      </main>
    </>
  );
}

function NotAllowed({ name, scopes }: { readonly name: string; readonly scopes: KeyAnswer["scopes"] }) {
  const page: Page | undefined = pages.find((one) => one.name === name);
  if (page === undefined && name !== "") return <p>There is no page {name}.</p>;
  const needed = [...new Set(pages.flatMap((one) => (page === undefined || one === page ? one.scopes : [])))];
  return (
    <p>
      This key has the scope {scopes.join(", ")}.{" "}
      {page === undefined ? "The pages of the console need" : `${page.title} needs`} a key with {needed.join(", ")} or
      operator: <code>npx proximal keys create --name me --scope operator</code>
    </p>
  );
}
