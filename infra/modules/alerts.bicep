// Alerts that read what the app logs. Each has a section of the same name in docs/runbook.md.
//
// The log is one line per decision, an event name and fields (handlers/journal.py). The Functions host sends each line to
// Application Insights as a trace; in the workspace it is the Message of a row of AppTraces. A run of a function is a row
// of AppRequests. tests/infra/test_alerts.py holds every query against lines that the app really writes.

@description('Where the rules are kept; it need not be where the app runs.')
param location string

@description('Tags of every rule.')
param tags object

@description('What the names of the rules begin with.')
param name string

@description('The Application Insights component that the app logs to.')
param appInsightsId string

@description('The Log Analytics workspace behind that component: what the rules read.')
param workspaceId string

@description('The storage account that holds the queues of the app.')
param storageAccountId string

@description('The function app; its name is the role name in the log.')
param functionAppId string

@description('The time from one sweep to the next, as in SWEEP_SCHEDULE: a number and a unit, at most a day: PT15M, PT1H, P1D.')
param sweepPeriod string

@description('Action groups that are told when an alert fires and when it resolves; without any it is only shown in the portal.')
param actionGroupIds array

@description('Minutes that an image definition may wait for its pass, and any message for who takes it.')
param oldestMinutes int = 30

@description('Runs of one function that may fail in 15 minutes. What is expected to go wrong does not fail a run.')
param failures int = 0

@description('Messages in all queues together, on the average of a day, that are no backlog yet.')
param backlog int = 1000

// PT15M, PT1H and P1D are 15m, 1h and 1d in a query.
var period = toLower(replace(replace(sweepPeriod, 'PT', ''), 'P', ''))

var only = '| where _ResourceId =~ "{component}" and AppRoleName =~ "{app}"'
var ours = replace(replace(only, '{component}', appInsightsId), '{app}', last(split(functionAppId, '/')))

var lines = '''
AppTraces
{ours}
| extend Event = tostring(split(Message, " ")[0])'''

var deadLetters = '''
{lines}
| where Event in ("message.dead-lettered", "dead-letter.replayed")
| extend Queue = extract(@"queue=(\S+)", 1, Message), Id = extract(@"message=(\S+)", 1, Message)
| summarize arg_max(TimeGenerated, Event) by Queue, Id
| where Event == "message.dead-lettered"
| summarize Value = count() by Of = Queue
'''

// Who asked for a pass is in the log, so that a wish that nobody takes is seen while it waits. A message of another queue
// is seen when it is taken.
var oldestMessage = '''
let late = {lines}
| where Event == "message.late" and TimeGenerated > ago(30m)
| extend Of = extract(@"queue=(\S+)", 1, Message), Minutes = toint(extract(@"seconds=(\d+)", 1, Message)) / 60
| where Of != "reconcile"
| summarize Value = max(Minutes) by Of;
let told = {lines}
| where Event in ("event.taken", "reconcile.asked", "sweep.asked", "reconcile.planned", "reconcile.absent", "reconcile.dropped")
| extend Definition = tolower(coalesce(extract(@"version=(\S+)/versions/", 1, Message), extract(@"definition=(\S+)", 1, Message)))
| extend Gallery = tolower(coalesce(extract(@"gallery=(\S+)", 1, Message), extract(@"^(\S+)/images/", 1, Definition)))
| extend Listed = toint(extract(@"definitions=(\d+)", 1, Message));
let answers = told
| where Event in ("reconcile.planned", "reconcile.absent", "reconcile.dropped")
| extend Of = pack_array(Definition, Gallery)
| mv-expand Of to typeof(string)
| summarize Answered = max(TimeGenerated) by Of;
told
| where Event in ("event.taken", "reconcile.asked") or (Event == "sweep.asked" and Listed > 0)
| extend Of = iff(Event == "sweep.asked", Gallery, Definition)
| join kind=leftouter answers on Of
| where isnull(Answered) or TimeGenerated > Answered
| summarize Asked = min(TimeGenerated) by Of
| extend Value = datetime_diff("minute", now(), Asked)
| project Of, Value
| union late
'''

var functionFailures = '''
AppRequests
{ours}
| where Success == false and coalesce(toint(ResultCode), 0) !between (400 .. 499)
| summarize Value = sum(ItemCount) by Of = OperationName
'''

// A sweep that could not list a gallery has its trouble in the line, and is none for that gallery. Which galleries there
// are is what the last sweep says.
var noSweep = '''
let swept = {lines}
| where Event == "sweep.asked"
| extend Of = extract(@"gallery=(\S+)", 1, Message), Trouble = extract(@"trouble=(.*)$", 1, Message);
let lastSeen = toscalar(swept | summarize max(TimeGenerated));
swept
| summarize Seen = max(TimeGenerated), Good = countif(Trouble == "''" and TimeGenerated > ago(2 * {period})) by Of
| where Seen > lastSeen - 10m
| union (print Of = "any gallery", Good = toscalar(swept | summarize countif(TimeGenerated > ago(2 * {period}))))
| where Good == 0
| summarize Value = count() by Of
'''

// It is announced once that a rollout is late; every look at it says so again, once an hour. A look that leaves it to a
// pass what is to come says neither. One that was under way when the rollout was ended may log after that.
var rolloutStalled = '''
{lines}
| where Event in ("announced", "rollout.ended", "watch.looked", "replicate.late")
| extend Late = extract(@" late=(True|False)", 1, Message)
| extend Kind = case(Event == "announced", extract(@"type=(\S+)", 1, Message), Event == "watch.looked", strcat("late ", Late), Event == "replicate.late", "late True", Event)
| where Kind in ("rollout.started", "rollout.stalled", "rollout.completed", "rollout.ended", "late True", "late False")
| extend Of = tolower(extract(@"(?:about|version)=(\S+)", 1, Message))
| extend At = iff(Kind == "rollout.ended", TimeGenerated + 1m, TimeGenerated)
| summarize arg_max(At, Kind) by Of
| where Kind in ("rollout.stalled", "late True")
| summarize Value = count() by Of
'''

var rules = [
  {
    key: 'dead-letters'
    title: 'Dead letters present'
    severity: 2
    query: deadLetters
    window: 'P2D'
    every: 'PT15M'
    threshold: 0
  }
  {
    key: 'oldest-message'
    title: 'Oldest message too old'
    severity: 2
    query: oldestMessage
    window: 'PT6H'
    every: 'PT15M'
    threshold: oldestMinutes
  }
  {
    key: 'function-failures'
    title: 'Function failures'
    severity: 2
    query: functionFailures
    window: 'PT15M'
    every: 'PT15M'
    threshold: failures
  }
  {
    key: 'no-sweep'
    title: 'No sweep within two periods'
    severity: 1
    query: noSweep
    window: 'P2D'
    every: 'PT15M'
    threshold: 0
  }
  {
    key: 'rollout-stalled'
    title: 'Rollout stalled'
    severity: 2
    query: rolloutStalled
    window: 'P2D'
    every: 'PT15M'
    threshold: 0
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${name}-${rule.key}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${rule.title}'
      description: 'What it means and what to do: docs/runbook.md, "${rule.title}".'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: true
      skipQueryValidation: true // a new workspace may not know its tables yet
      criteria: {
        allOf: [
          {
            query: replace(replace(replace(rule.query, '{lines}', trim(lines)), '{ours}', ours), '{period}', period)
            metricMeasureColumn: 'Value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: rule.threshold
            dimensions: [
              {
                name: 'Of'
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: actionGroupIds
      }
    }
  }
]

// The only measure of the queues that needs neither the app nor its log. Azure renews it once a day, so it is the last
// to notice anything; it counts all queues of the account together, also messages that wait until they are due.
resource queueBacklog 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-queue-backlog'
  location: 'global'
  tags: tags
  properties: {
    description: 'What it means and what to do: docs/runbook.md, "Queue backlog".'
    severity: 3
    enabled: true
    scopes: ['${storageAccountId}/queueServices/default']
    evaluationFrequency: 'PT1H'
    windowSize: 'P1D'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'messages'
          metricNamespace: 'Microsoft.Storage/storageAccounts/queueServices'
          metricName: 'QueueMessageCount'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: backlog
        }
      ]
    }
    actions: [
      for id in actionGroupIds: {
        actionGroupId: id
      }
    ]
  }
}
