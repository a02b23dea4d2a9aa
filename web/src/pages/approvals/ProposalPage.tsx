import { Button, Field, MessageBar, MessageBarBody, Text, Textarea } from "@fluentui/react-components";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Facts } from "../../components/Facts";
import { FormDialog } from "../../components/FormDialog";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay, useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { asker } from "./asker";
import { AskedBy, useAsker } from "./AskedBy";
import { Change } from "./Change";
import { useHeading } from "./heading";
import { State } from "./State";
import "./texts";

type Proposal = Schemas["Proposal"];

export function ProposalPage() {
  const t = useTexts("approvals");
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const query = api.useQuery("get", "/proposals/{id}", { params: { path: { id } } });
  const heading = useHeading();
  return (
    <Page
      title={query.data ? heading(query.data) : t("title")}
      trail={<TextLink to="/approvals">{t("back")}</TextLink>}
      actions={query.data?.state === "open" && <Actions proposal={query.data} />}
    >
      <Loaded query={query}>{(proposal) => <Content proposal={proposal} />}</Loaded>
    </Page>
  );
}

function Content({ proposal }: { proposal: Proposal }) {
  const t = useTexts("approvals");
  const me = useMe();
  const may = useMay("approve");
  // Who asked with a token has asked.
  const own = asker(proposal.requester).person === me.name;
  return (
    <>
      {proposal.state === "open" && (own || !may) && (
        <MessageBar intent="info" layout="multiline">
          <MessageBarBody>{t(own ? "own" : "mayNot")}</MessageBarBody>
        </MessageBar>
      )}
      <Facts
        facts={[
          [t("fact.state"), <State key="state" state={proposal.state} />],
          [t("fact.requester"), <AskedBy key="requester" requester={proposal.requester} />],
          [t("fact.created"), <Time key="created" at={proposal.created} />],
          [t("fact.expires"), proposal.state === "open" && <Time key="expires" at={proposal.expires} />],
          [t("fact.decidedBy"), proposal.decided_by],
          [t("fact.decided"), proposal.decided && <Time key="decided" at={proposal.decided} />],
          [t("fact.result"), proposal.result],
        ]}
      />
      <Change proposal={proposal} />
    </>
  );
}

function Actions({ proposal }: { proposal: Proposal }) {
  const t = useTexts("approvals");
  const me = useMe();
  const may = useMay("approve");
  const [{ dialog }, show] = useShown();
  const close = () => show({ dialog: undefined });
  if (asker(proposal.requester).person === me.name) {
    return (
      <>
        <Button onClick={() => show({ dialog: "withdraw" })}>{t("withdraw")}</Button>
        {dialog === "withdraw" && <Withdraw proposal={proposal} onClose={close} />}
      </>
    );
  }
  if (!may) return null;
  return (
    <>
      <Button appearance="primary" onClick={() => show({ dialog: "approve" })}>
        {t("approve")}
      </Button>
      <Button onClick={() => show({ dialog: "reject" })}>{t("reject")}</Button>
      {dialog === "approve" && <Approve proposal={proposal} onClose={close} />}
      {dialog === "reject" && <Reject proposal={proposal} onClose={close} />}
    </>
  );
}

interface DialogProps {
  proposal: Proposal;
  onClose: () => void;
}

function Approve({ proposal, onClose }: DialogProps) {
  const t = useTexts("approvals");
  const heading = useHeading();
  const { id, hash, kind } = proposal;
  const tell = useTell();
  const approve = api.useMutation("post", "/proposals/{id}/approve", {
    onSuccess: ({ state, result }) => {
      if (state === "failed") tell(t("approvedFailed"), result ?? undefined, "error");
      else tell(t("approved"));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("askApprove")}
      action={t("approve")}
      busy={approve.isPending}
      error={approve.error}
      // The hash is of what this page showed: what changed meanwhile is refused.
      onConfirm={() => approve.mutate({ params: { path: { id } }, body: { hash } })}
      onCancel={onClose}
    >
      <Text weight="semibold">{heading(proposal)}</Text>
      <p>{t([`askApproveAboutOf.${kind}`, "askApproveAbout"])}</p>
      <ShowAs cli={["proposal", "approve", id, "--hash", hash]} method="POST" path={`/proposals/${id}/approve`} body={{ hash }} />
    </ConfirmDialog>
  );
}

function Reject({ proposal: { id, requester: by }, onClose }: DialogProps) {
  const t = useTexts("approvals");
  const requester = useAsker(by);
  const tell = useTell();
  const [reason, setReason] = useState("");
  const reject = api.useMutation("post", "/proposals/{id}/reject", {
    onSuccess: () => {
      tell(t("rejected"));
      onClose();
    },
  });
  const body = reason.trim() === "" ? {} : { reason: reason.trim() };
  return (
    <FormDialog
      title={t("rejectTitle", { requester })}
      submit={reject.isPending ? t("busy") : t("reject")}
      busy={reject.isPending}
      error={reject.error}
      showAs={
        <ShowAs
          cli={["proposal", "reject", id, ...(body.reason === undefined ? [] : ["--reason", body.reason])]}
          method="POST"
          path={`/proposals/${id}/reject`}
          body={body}
        />
      }
      onSubmit={() => reject.mutate({ params: { path: { id } }, body })}
      onCancel={onClose}
    >
      <Field label={t("reason")} hint={t("reasonHint", { requester })}>
        <Textarea value={reason} onChange={(_, { value }) => setReason(value)} />
      </Field>
    </FormDialog>
  );
}

function Withdraw({ proposal: { id }, onClose }: DialogProps) {
  const t = useTexts("approvals");
  const tell = useTell();
  const withdraw = api.useMutation("post", "/proposals/{id}/withdraw", {
    onSuccess: () => {
      tell(t("withdrawn"));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("askWithdraw")}
      action={t("withdraw")}
      busy={withdraw.isPending}
      error={withdraw.error}
      onConfirm={() => withdraw.mutate({ params: { path: { id } } })}
      onCancel={onClose}
    >
      <p>{t("askWithdrawAbout")}</p>
      <ShowAs cli={["proposal", "withdraw", id]} method="POST" path={`/proposals/${id}/withdraw`} />
    </ConfirmDialog>
  );
}
