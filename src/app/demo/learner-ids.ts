/** Names for a class: "ada", "ben", ... and with a number where a class is larger than the list. */
export function learnerIdsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const name = names[i % names.length] ?? "learner";
    return i < names.length ? name : `${name}-${Math.floor(i / names.length) + 1}`;
  });
}

const names = [
  "ada",
  "ben",
  "chloe",
  "dmitri",
  "elif",
  "farid",
  "grace",
  "hugo",
  "ines",
  "jonas",
  "kaya",
  "liam",
  "mina",
  "noah",
  "olga",
  "pablo",
  "quinn",
  "rosa",
  "samir",
  "tess",
  "uma",
  "victor",
  "wen",
  "xenia",
  "yusuf",
  "zoe",
  "amara",
  "bruno",
  "carla",
  "dina",
];
