import type { ZipEntry } from "./zip.ts";

/** An assessment item of QTI 3 with one choice, "A" being right. */
export const qtiItem = (id: string, title = `Title of ${id}`): string => `<?xml version="1.0" encoding="UTF-8"?>
<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="${id}" title="${title}"
    adaptive="false" time-dependent="false">
  <qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier">
    <qti-correct-response><qti-value>A</qti-value></qti-correct-response>
  </qti-response-declaration>
  <qti-item-body>
    <qti-choice-interaction response-identifier="RESPONSE" max-choices="1">
      <qti-simple-choice identifier="A">yes</qti-simple-choice>
      <qti-simple-choice identifier="B">no</qti-simple-choice>
    </qti-choice-interaction>
  </qti-item-body>
</qti-assessment-item>
`;

export interface ResourceOptions {
  readonly href?: string;
  readonly type?: string;
  /** Inside of <metadata>. */
  readonly metadata?: string;
}

export const qtiResource = (
  id: string,
  { href = `${id}.xml`, type = "imsqti_item_xmlv3p0", metadata = "" }: ResourceOptions = {},
) =>
  `<resource identifier="r-${id}" type="${type}" href="${href}"><metadata>${metadata}</metadata><file href="${href}"/></resource>`;

export const qtiManifest = (resources: readonly string[], identifier = "package-1"): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" xmlns:lom="http://ltsc.ieee.org/xsd/LOM"
    xmlns:csmd="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscsmd_v1p1" identifier="${identifier}">
<organizations/>
<resources>
${resources.join("\n")}
</resources>
</manifest>
`;

/** Metadata that links an item to skills by their CASE identifiers. */
export const qtiLinks = (...guids: readonly string[]): string =>
  `<csmd:curriculumStandardsMetadataSet><csmd:curriculumStandardsMetadata><csmd:setOfGUIDs>${guids
    .map(
      (guid) =>
        `<csmd:labelledGUID><csmd:label>${guid}!</csmd:label><csmd:GUID>${guid}</csmd:GUID></csmd:labelledGUID>`,
    )
    .join("")}</csmd:setOfGUIDs></csmd:curriculumStandardsMetadata></csmd:curriculumStandardsMetadataSet>`;

/** Items q0, q1, ... and their manifest. */
export function qtiPackage(count: number): ZipEntry[] {
  const ids = Array.from({ length: count }, (_, i) => `q${i}`);
  return [
    { name: "imsmanifest.xml", content: qtiManifest(ids.map((id) => qtiResource(id))), deflate: true },
    ...ids.map((id) => ({ name: `${id}.xml`, content: qtiItem(id), deflate: true })),
  ];
}
