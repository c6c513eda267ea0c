// Second stage, when the function image_event is there: Event Grid tells it of image versions that were written or
// deleted. One system topic per source; a source is a resource group with a gallery in it, or its subscription.
targetScope = 'subscription'

@description('Resource group of the app.')
param resourceGroupName string

@description('Name of the app, as main.bicep gives it.')
param functionAppName string

@description('Resource ids of the galleries that are managed.')
@minLength(1)
param galleries string[]

@description('Whose events are listened to. Azure allows one system topic for each of them: where a resource group has one already, take the subscription, and the other way round.')
@allowed([
  'resource-group'
  'subscription'
])
param eventScope string = 'resource-group'

@description('Tags of everything that is made.')
param tags object = {}

@description('Resource ids of action groups that are told of alerts.')
param actionGroupIds string[] = []

var suffix = last(split(functionAppName, '-'))
var galleryIds = union(map(galleries, id => toLower(id)), [])
var depth = eventScope == 'subscription' ? 3 : 5
var sources = union(map(galleryIds, id => join(take(split(id, '/'), depth), '/')), [])
var topicType = eventScope == 'subscription' ? 'Microsoft.Resources.Subscriptions' : 'Microsoft.Resources.ResourceGroups'

// A system topic is in the subscription of its source: with the app where that is the app's own, else with the gallery.
var ownSubscriptionId = toLower(subscription().subscriptionId)
var galleryGroups = map(sources, source => split(filter(galleryIds, id => startsWith(id, '${source}/'))[0], '/')[4])
var places = map(range(0, length(sources)), i => split(sources[i], '/')[2] == ownSubscriptionId ? resourceGroupName : galleryGroups[i])

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' existing = {
  name: resourceGroupName
}

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  scope: group
  name: functionAppName
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  scope: group
  name: 'st${suffix}'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  scope: group
  name: 'id-gallery-fanout-events-${suffix}'
}

module topics 'modules/event-source.bicep' = [for (source, index) in sources: {
  scope: resourceGroup(split(source, '/')[2], places[index])
  name: 'gallery-fanout-${suffix}-events-${index}'
  params: {
    tags: tags
    suffix: suffix
    sourceId: source
    topicType: topicType
    functionAppId: app.id
    storageAccountId: account.id
    deadLetterContainerName: 'dead-letters'
    identityId: identity.id
  }
}]

module alerts 'modules/alerts-events.bicep' = [for (source, index) in sources: {
  scope: group
  name: 'alerts-events-${index}'
  params: {
    tags: tags
    name: '${functionAppName}-${index}'
    systemTopicId: topics[index].outputs.topicId
    actionGroupIds: actionGroupIds
  }
}]

@description('Resource ids of the system topics.')
output SYSTEM_TOPIC_IDS array = [for (source, index) in sources: topics[index].outputs.topicId]
