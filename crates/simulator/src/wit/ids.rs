//! The service's own fields, in the order in which answers list them.

use super::fields::{FieldId, Kind};

/// Reference name, name, type, whether the service computes it.
#[rustfmt::skip]
pub(crate) const BUILT_IN: &[(&str, &str, Kind, bool)] = &[
    ("System.Id", "ID", Kind::Integer, true),
    ("System.AreaId", "Area ID", Kind::Integer, true),
    ("System.AreaPath", "Area Path", Kind::TreePath, false),
    ("System.TeamProject", "Team Project", Kind::String, false),
    ("System.NodeName", "Node Name", Kind::String, true),
    ("System.AreaLevel1", "Area Level 1", Kind::String, true),
    ("System.AreaLevel2", "Area Level 2", Kind::String, true),
    ("System.AreaLevel3", "Area Level 3", Kind::String, true),
    ("System.AreaLevel4", "Area Level 4", Kind::String, true),
    ("System.Rev", "Rev", Kind::Integer, true),
    ("System.AuthorizedDate", "Authorized Date", Kind::DateTime, true),
    ("System.RevisedDate", "Revised Date", Kind::DateTime, true),
    ("System.IterationId", "Iteration ID", Kind::Integer, true),
    ("System.IterationPath", "Iteration Path", Kind::TreePath, false),
    ("System.IterationLevel1", "Iteration Level 1", Kind::String, true),
    ("System.IterationLevel2", "Iteration Level 2", Kind::String, true),
    ("System.IterationLevel3", "Iteration Level 3", Kind::String, true),
    ("System.IterationLevel4", "Iteration Level 4", Kind::String, true),
    ("System.WorkItemType", "Work Item Type", Kind::String, false),
    ("System.State", "State", Kind::String, false),
    ("System.Reason", "Reason", Kind::String, false),
    ("System.AssignedTo", "Assigned To", Kind::Identity, false),
    ("System.CreatedDate", "Created Date", Kind::DateTime, false),
    ("System.CreatedBy", "Created By", Kind::Identity, false),
    ("System.ChangedDate", "Changed Date", Kind::DateTime, false),
    ("System.ChangedBy", "Changed By", Kind::Identity, false),
    ("System.AuthorizedAs", "Authorized As", Kind::Identity, true),
    ("System.PersonId", "Person ID", Kind::Integer, true),
    ("System.Watermark", "Watermark", Kind::Integer, true),
    ("System.CommentCount", "Comment Count", Kind::Integer, true),
    ("System.IsDeleted", "Is Deleted", Kind::Boolean, true),
    ("System.Title", "Title", Kind::String, false),
    ("System.BoardColumn", "Board Column", Kind::String, true),
    ("System.BoardColumnDone", "Board Column Done", Kind::Boolean, true),
    ("System.BoardLane", "Board Lane", Kind::String, true),
    ("System.RelatedLinkCount", "Related Link Count", Kind::Integer, true),
    ("System.ExternalLinkCount", "External Link Count", Kind::Integer, true),
    ("System.HyperLinkCount", "Hyperlink Count", Kind::Integer, true),
    ("System.AttachedFileCount", "Attached File Count", Kind::Integer, true),
    ("System.RemoteLinkCount", "Remote Link Count", Kind::Integer, true),
    ("Microsoft.VSTS.Common.StateChangeDate", "State Change Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Common.ActivatedDate", "Activated Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Common.ActivatedBy", "Activated By", Kind::Identity, false),
    ("Microsoft.VSTS.Common.ResolvedDate", "Resolved Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Common.ResolvedBy", "Resolved By", Kind::Identity, false),
    ("Microsoft.VSTS.Common.ResolvedReason", "Resolved Reason", Kind::String, false),
    ("Microsoft.VSTS.Common.ClosedDate", "Closed Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Common.ClosedBy", "Closed By", Kind::Identity, false),
    ("Microsoft.VSTS.Common.Priority", "Priority", Kind::Integer, false),
    ("Microsoft.VSTS.Common.Severity", "Severity", Kind::String, false),
    ("Microsoft.VSTS.Common.Risk", "Risk", Kind::String, false),
    ("Microsoft.VSTS.Common.Triage", "Triage", Kind::String, false),
    ("Microsoft.VSTS.Common.StackRank", "Stack Rank", Kind::Double, false),
    ("Microsoft.VSTS.Common.BacklogPriority", "Backlog Priority", Kind::Double, false),
    ("Microsoft.VSTS.Common.ValueArea", "Value Area", Kind::String, false),
    ("Microsoft.VSTS.Common.BusinessValue", "Business Value", Kind::Integer, false),
    ("Microsoft.VSTS.Common.TimeCriticality", "Time Criticality", Kind::Double, false),
    ("Microsoft.VSTS.Common.Activity", "Activity", Kind::String, false),
    ("Microsoft.VSTS.Common.Discipline", "Discipline", Kind::String, false),
    ("Microsoft.VSTS.Common.Rating", "Rating", Kind::String, false),
    ("Microsoft.VSTS.Common.Issue", "Issue", Kind::String, false),
    ("Microsoft.VSTS.Common.ReviewedBy", "Reviewed By", Kind::Identity, false),
    ("Microsoft.VSTS.Scheduling.StoryPoints", "Story Points", Kind::Double, false),
    ("Microsoft.VSTS.Scheduling.Effort", "Effort", Kind::Double, false),
    ("Microsoft.VSTS.Scheduling.Size", "Size", Kind::Double, false),
    ("Microsoft.VSTS.Scheduling.OriginalEstimate", "Original Estimate", Kind::Double, false),
    ("Microsoft.VSTS.Scheduling.RemainingWork", "Remaining Work", Kind::Double, false),
    ("Microsoft.VSTS.Scheduling.CompletedWork", "Completed Work", Kind::Double, false),
    ("Microsoft.VSTS.Scheduling.StartDate", "Start Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Scheduling.FinishDate", "Finish Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Scheduling.DueDate", "Due Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Scheduling.TargetDate", "Target Date", Kind::DateTime, false),
    ("Microsoft.VSTS.Build.FoundIn", "Found In", Kind::String, false),
    ("Microsoft.VSTS.Build.IntegrationBuild", "Integration Build", Kind::String, false),
    ("Microsoft.VSTS.CMMI.Blocked", "Blocked", Kind::String, false),
    ("Microsoft.VSTS.TCM.AutomationStatus", "Automation status", Kind::String, false),
    ("Microsoft.VSTS.TCM.AutomatedTestName", "Automated Test Name", Kind::String, false),
    ("Microsoft.VSTS.TCM.Steps", "Steps", Kind::Html, false),
    ("Microsoft.VSTS.TCM.Parameters", "Parameters", Kind::Html, false),
    ("Microsoft.VSTS.TCM.LocalDataSource", "Local Data Source", Kind::Html, false),
    ("Microsoft.VSTS.TCM.ReproSteps", "Repro Steps", Kind::Html, false),
    ("Microsoft.VSTS.TCM.SystemInfo", "System Info", Kind::Html, false),
    ("Microsoft.VSTS.Common.AcceptanceCriteria", "Acceptance Criteria", Kind::Html, false),
    ("Microsoft.VSTS.Common.Resolution", "Resolution", Kind::Html, false),
    ("Microsoft.VSTS.CMMI.Comments", "Comments", Kind::Html, false),
    ("System.IntegrationBuild", "System Integration Build", Kind::String, false),
    ("System.Description", "Description", Kind::Html, false),
    ("System.History", "History", Kind::History, false),
    ("System.Tags", "Tags", Kind::PlainText, false),
    ("System.Parent", "Parent", Kind::Integer, true),
];

pub(crate) const AREA_PATH: FieldId = 2;
pub(crate) const TEAM_PROJECT: FieldId = 3;
pub(crate) const ITERATION_PATH: FieldId = 13;
pub(crate) const WORK_ITEM_TYPE: FieldId = 18;
pub(crate) const STATE: FieldId = 19;
pub(crate) const REASON: FieldId = 20;
pub(crate) const CREATED_DATE: FieldId = 22;
pub(crate) const CREATED_BY: FieldId = 23;
pub(crate) const CHANGED_DATE: FieldId = 24;
pub(crate) const CHANGED_BY: FieldId = 25;
pub(crate) const COMMENT_COUNT: FieldId = 29;
pub(crate) const IS_DELETED: FieldId = 30;
pub(crate) const TITLE: FieldId = 31;
pub(crate) const STATE_CHANGE_DATE: FieldId = 40;
pub(crate) const ACTIVATED_DATE: FieldId = 41;
pub(crate) const ACTIVATED_BY: FieldId = 42;
pub(crate) const RESOLVED_DATE: FieldId = 43;
pub(crate) const RESOLVED_BY: FieldId = 44;
pub(crate) const CLOSED_DATE: FieldId = 46;
pub(crate) const CLOSED_BY: FieldId = 47;
pub(crate) const PRIORITY: FieldId = 48;
pub(crate) const HISTORY: FieldId = 87;
pub(crate) const TAGS: FieldId = 88;
pub(crate) const PARENT: FieldId = 89;
pub(crate) const ID: FieldId = 0;
pub(crate) const AREA_ID: FieldId = 1;
pub(crate) const NODE_NAME: FieldId = 4;
pub(crate) const AREA_LEVEL1: FieldId = 5;
pub(crate) const REV: FieldId = 9;
pub(crate) const AUTHORIZED_DATE: FieldId = 10;
pub(crate) const REVISED_DATE: FieldId = 11;
pub(crate) const ITERATION_ID: FieldId = 12;
pub(crate) const ITERATION_LEVEL1: FieldId = 14;
pub(crate) const AUTHORIZED_AS: FieldId = 26;
pub(crate) const PERSON_ID: FieldId = 27;
pub(crate) const WATERMARK: FieldId = 28;
pub(crate) const RELATED_LINK_COUNT: FieldId = 35;
pub(crate) const EXTERNAL_LINK_COUNT: FieldId = 36;
pub(crate) const HYPER_LINK_COUNT: FieldId = 37;
pub(crate) const ATTACHED_FILE_COUNT: FieldId = 38;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_the_fields_that_they_say() {
        let named = |id: FieldId| BUILT_IN[usize::from(id)].0;
        assert_eq!(named(TITLE), "System.Title");
        assert_eq!(named(HISTORY), "System.History");
        assert_eq!(named(PARENT), "System.Parent");
        assert_eq!(named(PERSON_ID), "System.PersonId");
        assert_eq!(named(WATERMARK), "System.Watermark");
        assert_eq!(named(CLOSED_BY), "Microsoft.VSTS.Common.ClosedBy");
        assert_eq!(named(AREA_LEVEL1), "System.AreaLevel1");
    }
}
