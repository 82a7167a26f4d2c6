//! 09xx: approvals.

codes! {
    EFFECT = "AMP0901", "not an effect",
        "An Approval names the `effectId` of the task as `amparo plan -o json` shows it: four groups of 16 hex digits \
         joined by `-`. It stands for what the task would do: who, under which policies, in which files, in which counts.";
    LIFT_REASON = "AMP0902", "a limit lifted without a reason",
        "`liftLimits` and `acceptConflicts` let a task go beyond what keeps people's data safe. Whoever reads the \
         approval later must find out why: add `reason`.";
    APPROVAL_UNKNOWN = "AMP0903", "an approval of an unknown task",
        "No request file has that name, or no block of it that key, so the approval approves nothing. That is right only \
         if the request is still to come, or was removed.";
    APPROVAL_ENDING = "AMP0904", "a file that is not read as an approval",
        "Approvals are *.yaml or *.yml. Another file in their directory approves nothing.";
}
