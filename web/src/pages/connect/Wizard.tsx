import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Failed, Loading } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { standing } from "./data";
import { Done } from "./Done";
import { forbidden, gone } from "./refusals";
import { Steps } from "./Steps";
import "./texts";
import { kindOf, type Kind } from "./types";
import type { Outcome } from "./useAdding";
import type { Given } from "./way";

/** `/connect/$kind`: sign in, see what there is, check it, add it. */
export function Wizard() {
  const { kind: name = "" }: { kind?: string } = useParams({ strict: false });
  const t = useTexts("connect");
  const may = useMay("manage-connectors");
  const [shown] = useShown();
  const kind = kindOf(name);
  const given = { organization: shown["organization"] ?? "", url: shown["url"] ?? "", profile: shown["profile"] ?? "" };
  const trail = <TextLink to="/connect">{t("title")}</TextLink>;
  const title = kind ? t(`kind.${kind.name}.add`) : t("title");
  if (!kind || !may) {
    return (
      <Page title={title} trail={trail}>
        <Failed error={kind ? forbidden() : gone()} />
      </Page>
    );
  }
  return (
    <Page title={title} trail={trail} about={t(`kind.${kind.name}.about`)}>
      <Resumed key={kind.name} kind={kind} id={shown["wizard"]} done={shown["done"]} given={given} />
    </Page>
  );
}

interface ResumedProps {
  kind: Kind;
  id: string | undefined;
  done: string | undefined;
  given: Given;
}

function Resumed({ kind, id, done, given }: ResumedProps) {
  // A page that was loaded anew goes on with the wizard that its address names, while the server still knows it. What the page itself
  // puts into its address is nothing to resume.
  const [first] = useState(id);
  const t = useTexts("connect");
  const found = useQuery({
    queryKey: ["wizard-resume", first],
    queryFn: () => standing(first ?? "").catch(() => null),
    enabled: first !== undefined && done === undefined,
    staleTime: "static",
  });
  const [kept, setKept] = useState<Outcome>();
  if (done !== undefined) {
    return <Done title={t(`kind.${kind.name}.done`)} names={done.split(",")} {...kept} />;
  }
  if (first !== undefined && found.isPending) return <Loading />;
  const wizard = found.data?.step === "choose" && found.data.service === kind.service ? found.data : undefined;
  return <Steps kind={kind} resumed={wizard} given={given} onDone={setKept} />;
}
