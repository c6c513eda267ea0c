// Alerts about the way of an event to the app: metrics of the Event Grid system topic. Each has a section of the same name
// in docs/runbook.md. An event that is lost costs time and no more: the next sweep finds what it would have told.

@description('Tags of every rule.')
param tags object

@description('What the names of the rules begin with.')
param name string

@description('The system topic whose events the app gets.')
param systemTopicId string

@description('Action groups that are told when an alert fires and when it resolves; without any it is only shown in the portal.')
param actionGroupIds array

@description('Deliveries that may fail in half an hour. A cold start fails one or two, an endpoint that is away five an event.')
param failedDeliveries int = 3

var rules = [
  {
    key: 'event-delivery-failures'
    title: 'Event delivery failures'
    severity: 3
    metric: 'DeliveryAttemptFailCount'
    threshold: failedDeliveries
  }
  {
    key: 'event-dead-letters'
    title: 'Event dead letters'
    severity: 2
    metric: 'DeadLetteredCount'
    threshold: 0
  }
  {
    key: 'events-dropped'
    title: 'Events dropped'
    severity: 2
    metric: 'DroppedEventCount'
    threshold: 0
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in rules: {
    name: '${name}-${rule.key}'
    location: 'global'
    tags: tags
    properties: {
      description: 'What it means and what to do: docs/runbook.md, "${rule.title}".'
      severity: rule.severity
      enabled: true
      scopes: [systemTopicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT30M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: rule.key
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: rule.metric
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: rule.threshold
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
]
