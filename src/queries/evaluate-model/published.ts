/** A table of figures that others published, to print beside one's own. */
export interface PublishedTable {
  readonly title: string;
  readonly source: string;
  readonly dataSets: readonly string[];
  readonly models: readonly { readonly name: string; readonly auc: readonly number[] }[];
}

export const publishedResults: PublishedTable = {
  title: "Published AUC, protocol frozen (80/20 by learner)",
  source:
    "Gervet, Koedinger, Schneider, Mitchell (2020). When is deep learning the best approach to knowledge tracing? " +
    "Journal of Educational Data Mining 12(3).",
  dataSets: ["ASSISTments09", "ASSISTments15", "ASSISTments17", "Bridge06", "Algebra05", "Spanish", "Statics"],
  models: [
    { name: "IRT", auc: [0.69, 0.64, 0.68, 0.75, 0.77, 0.68, 0.79] },
    { name: "PFA", auc: [0.72, 0.69, 0.62, 0.77, 0.76, 0.85, 0.69] },
    { name: "Best-LR", auc: [0.77, 0.7, 0.71, 0.8, 0.83, 0.86, 0.82] },
    { name: "DKT (deep)", auc: [0.75, 0.73, 0.77, 0.79, 0.82, 0.83, 0.83] },
    { name: "SAKT (deep)", auc: [0.75, 0.73, 0.73, 0.78, 0.8, 0.83, 0.81] },
  ],
};
